import {
  ms,
  type DurationMs,
  type ReadGroup,
  type TagBinding,
} from '../../gateway/contract/index.js';
import { isRegisters, type ModbusAddress } from './address.js';
import type { ModbusConfig } from './config.js';
import { readBytes, readFunction } from './frame.js';
import { characterMs, silenceMs } from './line.js';

type Binding = TagBinding<ModbusAddress>;

/** Addresses from `start` up to, not including, `end`. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** Tags whose registers overlap: they can only be read together. */
interface Cluster extends Span {
  readonly tags: readonly Binding[];
  /** Nothing before it may be in its request. */
  readonly breaks: boolean;
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

function overlaps(holes: readonly Span[], start: number, end: number): boolean {
  return holes.some((hole) => hole.start < end && start < hole.end);
}

function byAddress(a: Binding, b: Binding): number {
  return (
    a.address.start - b.address.start ||
    (a.address.bit ?? 0) - (b.address.bit ?? 0) ||
    a.tag - b.tag
  );
}

/** Tags in order of address, those that share registers as one; none longer than a request. */
function clustersOf(
  sorted: readonly Binding[],
  maxCount: number,
  breaks: ReadonlySet<number>,
): readonly Cluster[] {
  const clusters: (Cluster & { end: number; tags: Binding[] })[] = [];
  for (const tag of sorted) {
    const own = spanOf(tag);
    const last = clusters.at(-1);
    const joined = last && Math.max(last.end, own.end);
    const begins = breaks.has(tag.tag);
    if (
      last &&
      joined !== undefined &&
      own.start < last.end &&
      !begins &&
      joined - last.start <= maxCount
    ) {
      last.tags.push(tag);
      last.end = joined;
    } else clusters.push({ ...own, tags: [tag], breaks: begins });
  }
  return clusters;
}

/**
 * Cuts clusters in order of address into requests at least cost. A request costs as much as `maxGap`
 * registers (plus one, so that a gap of just `maxGap` is bridged), each register one. Where `maxGap` is
 * large that is the fewest requests and, of those, the fewest registers.
 * @returns the end of each request, as an index into the clusters
 */
function cheapestCuts(
  clusters: readonly Cluster[],
  holes: readonly Span[],
  { maxGap, maxCount }: ModbusAddress['request'],
): readonly number[] {
  const cost = [0];
  const from = [0];
  for (let last = 0; last < clusters.length; last++) {
    let best = Infinity;
    let bestFirst = last;
    let end = 0;
    for (let first = last; first >= 0; first--) {
      const cluster = clusters[first] as Cluster;
      const next = clusters[first + 1];
      end = Math.max(end, cluster.end);
      if (first < last && next) {
        if (next.breaks || next.start - cluster.end > maxGap) break;
        if (end - cluster.start > maxCount) break;
        if (holes.length > 0 && overlaps(holes, cluster.start, end)) break;
      }
      const sum = (cost[first] as number) + maxGap + 1 + (end - cluster.start);
      if (sum < best) [best, bestFirst] = [sum, first];
    }
    cost.push(best);
    from.push(bestFirst);
  }
  const ends: number[] = [];
  for (let end = clusters.length; end > 0; end = from[end] as number) ends.unshift(end);
  return ends;
}

/** Tags of one unit and table as requests. */
function cut(
  config: ModbusConfig,
  block: readonly Binding[],
  holes: readonly Span[],
  breaks: ReadonlySet<number>,
): ReadGroup<ModbusAddress>[] {
  const [first] = block;
  if (!first) return [];
  const { request } = first.address;
  if (request.alone) return block.map((tag) => groupOf(config, [tag]));
  const plain: Binding[] = [];
  // Those that share registers with a refused tag: apart, with none but those that ask the very same.
  const apart = new Map<string, Binding[]>();
  for (const tag of [...block].sort(byAddress)) {
    const { start, end } = spanOf(tag);
    if (holes.length === 0 || !overlaps(holes, start, end)) plain.push(tag);
    else {
      const key = `${start} ${end}`;
      const same = apart.get(key);
      if (same) same.push(tag);
      else apart.set(key, [tag]);
    }
  }
  const clusters = clustersOf(plain, request.maxCount, breaks);
  let at = 0;
  const groups = cheapestCuts(clusters, holes, request).map((end) => {
    const tags = clusters.slice(at, end).flatMap((cluster) => cluster.tags);
    at = end;
    return groupOf(config, tags);
  });
  return [...groups, ...[...apart.values()].map((tags) => groupOf(config, tags))];
}

function groupOf(config: ModbusConfig, tags: readonly Binding[]): ReadGroup<ModbusAddress> {
  const { start, end } = extent(tags);
  const [first] = tags;
  const where = first ? `unit ${first.address.unit} ${first.address.table} ` : '';
  const label = `${where}${start}..${end - 1}`;
  const group = { label, device: first?.device ?? '', tags };
  const timeout = (first?.address.request.timeout ?? config.timeout) + wireTime(config, group);
  return { ...group, timeout: ms(timeout) };
}

/** The addresses that a group asks for. */
export function extent(tags: readonly Binding[]): Span {
  let start = Infinity;
  let end = 0;
  for (const { address } of tags) {
    start = Math.min(start, address.start);
    end = Math.max(end, address.start + address.count);
  }
  return { start, end };
}

/**
 * Groups tags into reads: per device, unit and table, in order of address, bridging gaps up to
 * `maxGap`. A tag is never split over two requests, and no request covers an address of `refused`,
 * except for a tag that itself lies on one.
 */
export function plan(
  config: ModbusConfig,
  tags: readonly Binding[],
  refused: readonly Binding[],
  breaks: ReadonlySet<number> = new Set(),
): readonly ReadGroup<ModbusAddress>[] {
  const refusedTags = new Set(refused.map((tag) => tag.tag));
  const holes = byBlock(refused);
  const groups: ReadGroup<ModbusAddress>[] = [];
  for (const [key, block] of byBlock(tags.filter((tag) => !refusedTags.has(tag.tag))))
    groups.push(...cut(config, block, (holes.get(key) ?? []).map(spanOf), breaks));
  return groups;
}

/** Characters of request and answer, on a line of known speed; 0 elsewhere. */
function wireTime(
  { line, transport }: ModbusConfig,
  { tags }: Pick<ReadGroup<ModbusAddress>, 'tags'>,
): number {
  const [first] = tags;
  if (!line || !first) return 0;
  const { table } = first.address;
  const { start, end } = extent(tags);
  const data = readBytes(readFunction[table], end - start);
  return (transport.overhead + data * transport.perByte) * characterMs(line);
}

/** What devices take to answer, where nothing else is known. */
const turnaroundMs = 5;

/** See {@link DriverModule.lineTime}. */
export function lineTime(
  config: ModbusConfig,
  group: ReadGroup<ModbusAddress>,
): DurationMs | undefined {
  const { line, requestGap } = config;
  if (!line) return undefined;
  const silence = silenceMs(line);
  return ms(wireTime(config, group) + silence + Math.max(silence, requestGap) + turnaroundMs);
}

/** A bit may take three requests: read, write, read back. */
export function writeTimeout(config: ModbusConfig, { address }: Binding): DurationMs {
  const { line, transport } = config;
  const most = address.bit !== undefined || address.field ? 3 : 2;
  const bytes = isRegisters(address.table) ? address.count * 2 : 1;
  const onLine = line
    ? (2 * transport.overhead + bytes * transport.perByte) * characterMs(line)
    : 0;
  return ms(most * (address.request.timeout + onLine));
}
