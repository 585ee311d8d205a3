import {
  ms,
  type DurationMs,
  type Problem,
  type ReadGroup,
  type TagBinding,
} from '../../../gateway/contract/index.js';
import { isRegisters } from '../frames/tables.js';
import { transportOf } from '../wire/transport.js';
import type { ModbusAddress } from './address.js';
import type { ModbusConfig } from './config.js';
import { readBytes, readFunction } from '../frames/frame.js';
import { characterMs, silenceMs } from '../line/times.js';

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
  const { unit, table, words } = tag.address;
  return `${tag.device}\u0000${unit}\u0000${table}\u0000${words}`;
}

function spanOf(tag: Binding): Span {
  return { start: tag.address.start, end: tag.address.start + tag.address.count };
}

/** What a request must have for each of these tags: its own addresses, and those of all that it belongs together with. */
function reachesOf(tags: readonly Binding[]): (tag: Binding) => Span {
  const sets = new Map<string, Span>();
  for (const tag of tags) {
    const { together } = tag.address;
    if (together === undefined) continue;
    const own = spanOf(tag);
    const set = sets.get(together) ?? own;
    const start = Math.min(set.start, own.start);
    sets.set(together, { start, end: Math.max(set.end, own.end) });
  }
  return (tag) => sets.get(tag.address.together ?? '') ?? spanOf(tag);
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

type Reach = (tag: Binding) => Span;

function byAddress(reach: Reach, a: Binding, b: Binding): number {
  return (
    reach(a).start - reach(b).start ||
    a.address.start - b.address.start ||
    (a.address.bit ?? 0) - (b.address.bit ?? 0) ||
    a.tag - b.tag
  );
}

/** Tags in order of address, those that share registers as one; none longer than a request. */
function clustersOf(
  sorted: readonly Binding[],
  reach: Reach,
  maxCount: number,
  breaks: ReadonlySet<number>,
): readonly Cluster[] {
  const clusters: (Cluster & { end: number; tags: Binding[] })[] = [];
  for (const tag of sorted) {
    const own = reach(tag);
    const last = clusters.at(-1);
    const joined = last && Math.max(last.end, own.end);
    // What belongs together does so across what the device refuses: then all of it is bad.
    const begins = breaks.has(tag.tag) && own.start === tag.address.start;
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
  const reach = reachesOf(block);
  const plain: Binding[] = [];
  // Those that share registers with a refused tag: apart, with none but those that ask the very same.
  const apart = new Map<string, Binding[]>();
  for (const tag of [...block].sort((a, b) => byAddress(reach, a, b))) {
    const { start, end } = reach(tag);
    if (holes.length === 0 || !overlaps(holes, start, end)) plain.push(tag);
    else {
      const key = `${start} ${end}`;
      const same = apart.get(key);
      if (same) same.push(tag);
      else apart.set(key, [tag]);
    }
  }
  const clusters = clustersOf(plain, reach, request.maxCount, breaks);
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
  const wanted = tags.filter(({ tag, address }) => !refusedTags.has(tag) && !address.writeOnly);
  for (const [key, block] of byBlock(wanted))
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
  const { table, words } = first.address;
  const { start, end } = extent(tags);
  const data = readBytes(readFunction[table], end - start) * words;
  const { overhead, perByte } = transportOf(transport);
  return (overhead + data * perByte) * characterMs(line);
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
  const most = address.bit !== undefined || address.field || address.scaled ? 3 : 2;
  const bytes = isRegisters(address.table) ? address.count * address.words * 2 : 1;
  const { overhead, perByte } = transportOf(transport);
  const onLine = line ? (2 * overhead + bytes * perByte) * characterMs(line) : 0;
  return ms(most * (address.request.timeout + onLine));
}

/** Tags that are to come from one request and cannot. */
export function apartOf(
  tags: readonly (Binding & { readonly scanClass: string })[],
): readonly { readonly tag: number; readonly problem: Problem }[] {
  const firsts = new Map<string, (typeof tags)[number]>();
  return tags.flatMap((tag) => {
    const { together } = tag.address;
    if (together === undefined) return [];
    const key = `${tag.device}\u0000${together}`;
    const first = firsts.get(key) ?? tag;
    firsts.set(key, first);
    const why = whyApart(first, tag);
    const message = `it cannot come from one request with ${first.name}: ${why ?? ''}`;
    return why === undefined ? [] : [{ tag: tag.tag, problem: { path: ['together'], message } }];
  });
}

function whyApart(
  first: Binding & { readonly scanClass: string },
  tag: Binding & { readonly scanClass: string },
): string | undefined {
  if (blockKey(first) !== blockKey(tag)) return 'it is in another table';
  if (first.scanClass !== tag.scanClass) return 'it is in another scan class';
  const { start, end } = extent([first, tag]);
  const { maxCount } = tag.address.request;
  return end - start <= maxCount
    ? undefined
    : `that would be ${end - start} registers, a request may have ${maxCount}`;
}
