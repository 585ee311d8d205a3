import { enlarge } from '../contract/index.js';
import { Kind } from './table.js';

/**
 * Samples of one stream (a device and a scan class) that go through journal and sinks together, as
 * columns. `indexes` are positions in the dictionary `revision` of the device.
 */
export interface Block {
  readonly device: string;
  readonly group: string;
  /** Which dictionary the indexes refer to. */
  readonly revision: string;
  readonly count: number;
  readonly indexes: Uint32Array;
  /** Monotonic ms of this boot; wall time is this plus `wallOffset`. */
  readonly times: Float64Array;
  /** Wall minus monotonic time in the clock epoch of these samples, ms. */
  readonly wallOffset: number;
  readonly qualities: Uint8Array;
  readonly kinds: Uint8Array;
  readonly numbers: Float64Array;
  /** Strings and 64-bit integers by position in the block; undefined when there is none. */
  readonly wide: ReadonlyMap<number, string | bigint> | undefined;
}

/** Samples `from` up to `to` (exclusive) of a block, sharing its columns. */
export function sliceBlock(block: Block, from: number, to: number): Block {
  const within = [...(block.wide ?? [])].filter(([at]) => at >= from && at < to);
  const wide = block.wide && new Map(within.map(([at, value]) => [at - from, value]));
  return {
    ...block,
    count: to - from,
    indexes: block.indexes.subarray(from, to),
    times: block.times.subarray(from, to),
    qualities: block.qualities.subarray(from, to),
    kinds: block.kinds.subarray(from, to),
    numbers: block.numbers.subarray(from, to),
    wide,
  };
}

/** Collects the samples of one stream until the block is closed. Its arrays are used again. */
export class BlockBuilder {
  readonly device: string;
  readonly group: string;
  readonly revision: string;
  count = 0;
  /** When the first sample was added, monotonic ms. */
  openedAt = 0;
  #indexes: Uint32Array;
  #times: Float64Array;
  #qualities: Uint8Array;
  #kinds: Uint8Array;
  #numbers: Float64Array;
  #wide: Map<number, string | bigint> | undefined;

  constructor(device: string, group: string, revision: string, capacity = 64) {
    this.device = device;
    this.group = group;
    this.revision = revision;
    this.#indexes = new Uint32Array(capacity);
    this.#times = new Float64Array(capacity);
    this.#qualities = new Uint8Array(capacity);
    this.#kinds = new Uint8Array(capacity);
    this.#numbers = new Float64Array(capacity);
  }

  add(
    index: number,
    time: number,
    quality: number,
    kind: number,
    value: number,
    wide: string | bigint | undefined,
  ): void {
    const at = this.count;
    if (at === this.#indexes.length) this.#grow();
    this.#indexes[at] = index;
    this.#times[at] = time;
    this.#qualities[at] = quality;
    this.#kinds[at] = kind;
    this.#numbers[at] = value;
    if (kind >= Kind.text && wide !== undefined) (this.#wide ??= new Map()).set(at, wide);
    this.count = at + 1;
  }

  /** The block so far; the builder is empty afterwards. */
  close(wallOffset: number): Block {
    const count = this.count;
    const columns = columnsFor(count);
    columns.indexes.set(this.#indexes.subarray(0, count));
    columns.times.set(this.#times.subarray(0, count));
    columns.qualities.set(this.#qualities.subarray(0, count));
    columns.kinds.set(this.#kinds.subarray(0, count));
    columns.numbers.set(this.#numbers.subarray(0, count));
    const { device, group, revision } = this;
    const block: Block = {
      device,
      group,
      revision,
      count,
      ...columns,
      wallOffset,
      wide: this.#wide,
    };
    this.count = 0;
    this.#wide = undefined;
    return block;
  }

  #grow(): void {
    const size = this.#indexes.length * 2;
    this.#indexes = enlarge(this.#indexes, new Uint32Array(size));
    this.#times = enlarge(this.#times, new Float64Array(size));
    this.#qualities = enlarge(this.#qualities, new Uint8Array(size));
    this.#kinds = enlarge(this.#kinds, new Uint8Array(size));
    this.#numbers = enlarge(this.#numbers, new Float64Array(size));
  }
}

type Columns = Pick<Block, 'indexes' | 'times' | 'qualities' | 'kinds' | 'numbers'>;

/** Bytes of a sample in the columns of a block. */
export const sampleBytes = 22;

/** The columns of a block in one allocation: memory outside the heap is dear by the piece. */
function columnsFor(count: number): Columns {
  return columnsIn(new ArrayBuffer(count * sampleBytes), 0, count);
}

/** Columns of `count` samples that lie in `bytes` from `at` on, a multiple of 8: the widest first, as {@link columnsOf} gives them. */
export function columnsIn(bytes: ArrayBufferLike, at: number, count: number): Columns {
  return {
    times: new Float64Array(bytes, at, count),
    numbers: new Float64Array(bytes, at + count * 8, count),
    indexes: new Uint32Array(bytes, at + count * 16, count),
    qualities: new Uint8Array(bytes, at + count * 20, count),
    kinds: new Uint8Array(bytes, at + count * 21, count),
  };
}

/** In the order in which they lie. */
export function columnsOf(block: Block): readonly ArrayBufferView[] {
  return [block.times, block.numbers, block.indexes, block.qualities, block.kinds];
}
