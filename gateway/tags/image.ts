import { type ImageView, Quality, type Value, isBad } from '../contract/index.js';
import { Kind, type TagTable } from './table.js';

/** The present value of every tag, as a struct of arrays. Written by the tick only. */
export class TagImage implements ImageView {
  readonly table: TagTable;
  readonly size: number;
  readonly numbers: Float64Array;
  readonly qualities: Uint8Array;
  readonly wide: (string | bigint | undefined)[];
  readonly times: Float64Array;
  /** 1 = a rule doubts the tag: a good value of it is `suspect`. */
  readonly doubts: Uint8Array;

  constructor(table: TagTable) {
    this.table = table;
    this.size = table.size;
    this.numbers = new Float64Array(table.size);
    this.qualities = new Uint8Array(table.size).fill(Quality.waiting);
    this.wide = new Array<string | bigint | undefined>(table.size);
    this.times = new Float64Array(table.size);
    this.doubts = new Uint8Array(table.size);
  }

  /** Takes over what an earlier image knew of tags of the same name and type. */
  adopt(earlier: TagImage): void {
    for (const tag of this.table.tags) {
      const before = earlier.table.get(tag.name);
      if (before?.name !== tag.name || before.type !== tag.type || tag.origin === 'constant')
        continue;
      this.numbers[tag.index] = earlier.numbers[before.index] as number;
      this.qualities[tag.index] = earlier.qualities[before.index] as number;
      this.wide[tag.index] = earlier.wide[before.index];
      this.times[tag.index] = earlier.times[before.index] as number;
      this.doubts[tag.index] = earlier.doubts[before.index] as number;
    }
  }

  setConstant(index: number, value: number, now: number): void {
    this.numbers[index] = value;
    this.qualities[index] = Quality.good;
    this.times[index] = now;
  }

  /** From now on exactly these tags are doubted; gives those whose quality is another one for that. */
  doubt(tags: readonly number[]): readonly number[] {
    const changed: number[] = [];
    const wanted = new Set(tags);
    for (let tag = 0; tag < this.size; tag++) {
      const is = wanted.has(tag) ? 1 : 0;
      if ((this.doubts[tag] as number) === is) continue;
      this.doubts[tag] = is;
      const [from, to] =
        is === 1 ? [Quality.good, Quality.suspect] : [Quality.suspect, Quality.good];
      if ((this.qualities[tag] as number) !== from) continue;
      this.qualities[tag] = to;
      changed.push(tag);
    }
    return changed;
  }

  /** The value for people and messages; null when the quality is bad. */
  value(index: number): Value {
    return isBad(this.qualities[index] ?? Quality.internal) ? null : this.rawValue(index);
  }

  /** The last value held, whatever its quality. */
  rawValue(index: number): Value {
    return valueOf(
      this.table.kinds[index] ?? Kind.number,
      this.numbers[index] ?? NaN,
      this.wide[index],
    );
  }
}

/** A stored number (or wide value) as the value it stands for. */
export function valueOf(kind: number, number: number, wide: string | bigint | undefined): Value {
  if (kind === Kind.bool) return number !== 0;
  if (kind < Kind.text) return number;
  return wide ?? null;
}
