import type { ReadGroup, TagBinding } from '../../gateway/contract/index.js';
import type { ModbusAddress } from './address.js';
import type { ModbusConfig } from './config.js';

type Binding = TagBinding<ModbusAddress>;

/** Addresses from `start` up to, not including, `end`. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** Tags of different keys never share a request. */
function blockKey(tag: Binding): string {
  const { unit, table } = tag.address;
  return `${tag.device}\u0000${unit}\u0000${table}`;
}

function spanOf(tag: Binding): Span {
  return { start: tag.address.start, end: tag.address.start + tag.address.count };
}

function byBlock(tags: readonly Binding[]): Map<string, Binding[]> {
  const blocks = new Map<string, Binding[]>();
  for (const tag of tags) {
    const key = blockKey(tag);
    const block = blocks.get(key);
    if (block) block.push(tag);
    else blocks.set(key, [tag]);
  }
  return blocks;
}

function groupOf(tags: readonly Binding[], span: Span): ReadGroup<ModbusAddress> {
  const first = tags[0]?.address;
  const where = first ? `unit ${first.unit} ${first.table} ` : '';
  const label = `${where}${span.start}..${span.end - 1}`;
  return { label, device: tags[0]?.device ?? '', tags };
}

function overlaps(holes: readonly Span[], start: number, end: number): boolean {
  return holes.some((hole) => hole.start < end && start < hole.end);
}

/** Cuts the tags of one unit and table, in order of address, into requests: greedy is optimal. */
function cut(
  block: readonly Binding[],
  holes: readonly Span[],
  { maxGap, maxCount }: ModbusAddress['request'],
): ReadGroup<ModbusAddress>[] {
  const sorted = [...block].sort(
    (a, b) =>
      a.address.start - b.address.start ||
      (a.address.bit ?? 0) - (b.address.bit ?? 0) ||
      a.tag - b.tag,
  );
  const groups: ReadGroup<ModbusAddress>[] = [];
  const apart = new Map<string, Binding[]>();
  let tags: Binding[] = [];
  let start = 0;
  let end = 0;
  const flush = (): void => {
    if (tags.length > 0) groups.push(groupOf(tags, { start, end }));
    tags = [];
  };
  for (const tag of sorted) {
    const own = spanOf(tag);
    // It shares registers with a refused tag: apart, with none but those that ask the very same.
    if (holes.length > 0 && overlaps(holes, own.start, own.end)) {
      const span = `${own.start} ${own.end}`;
      const same = apart.get(span);
      if (same) same.push(tag);
      else apart.set(span, [tag]);
      continue;
    }
    const joined = Math.max(end, own.end);
    const fits =
      tags.length > 0 &&
      own.start - end <= maxGap &&
      joined - start <= maxCount &&
      !(holes.length > 0 && overlaps(holes, start, joined));
    if (!fits) {
      flush();
      start = own.start;
      end = own.end;
    } else end = joined;
    tags.push(tag);
  }
  flush();
  for (const [first, ...rest] of apart.values())
    if (first) groups.push(groupOf([first, ...rest], spanOf(first)));
  return groups;
}

/**
 * Groups tags into reads: per device, unit and table, in order of address, bridging gaps up to
 * `maxGap`. A tag is never split over two requests, and no request covers an address of `refused`,
 * except for a tag that itself lies on one.
 */
export function plan(
  _config: ModbusConfig,
  tags: readonly Binding[],
  refused: readonly Binding[],
): readonly ReadGroup<ModbusAddress>[] {
  const refusedTags = new Set(refused.map((tag) => tag.tag));
  const holes = byBlock(refused);
  const groups: ReadGroup<ModbusAddress>[] = [];
  for (const [key, block] of byBlock(tags.filter((tag) => !refusedTags.has(tag.tag)))) {
    const [first] = block;
    if (first)
      groups.push(...cut(block, (holes.get(key) ?? []).map(spanOf), first.address.request));
  }
  return groups;
}
