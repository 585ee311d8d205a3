import { limits } from '../limits.js';
import { type Block, BlockBuilder } from './block.js';
import type { TagImage } from './image.js';
import { Kind, type TagTable } from './table.js';

/**
 * Report by exception: decides which accepted samples are recorded and sent. A sample is reported when
 * its quality changed, when its value moved by more than the deadband since the last report, or when
 * the last report is older than `maxSilence`; an event also when it is the same as before. Closed blocks go to `emit`.
 */
export class Reporter {
  readonly #image: TagImage;
  readonly #emit: (block: Block) => void;
  readonly #wallOffset: () => number;
  readonly #lastNumbers: Float64Array;
  readonly #lastQualities: Uint8Array;
  readonly #lastWide: (string | bigint | undefined)[];
  readonly #lastTimes: Float64Array;
  /** When the sample that was reported last was taken; of events only. */
  readonly #lastSampled: Float64Array;
  readonly #builders = new Map<string, BlockBuilder>();
  readonly #builderOf: BlockBuilder[];
  readonly #silent: Int32Array;
  /** Accepted samples that were not worth a report, since start. */
  unreported = 0;
  reported = 0;

  constructor(
    image: TagImage,
    revisions: ReadonlyMap<string, string>,
    wallOffset: () => number,
    emit: (block: Block) => void,
  ) {
    const { table, size } = image;
    this.#image = image;
    this.#emit = emit;
    this.#wallOffset = wallOffset;
    this.#lastNumbers = new Float64Array(size);
    // 0xff is no quality: the first sample of each tag is always reported.
    this.#lastQualities = new Uint8Array(size).fill(0xff);
    this.#lastWide = new Array<string | bigint | undefined>(size);
    this.#lastTimes = new Float64Array(size);
    this.#lastSampled = new Float64Array(size);
    this.#builderOf = table.tags.map((tag) => {
      const key = `${tag.device}\n${tag.scanClass}`;
      let builder = this.#builders.get(key);
      if (!builder) {
        builder = new BlockBuilder(tag.device, tag.scanClass, revisions.get(tag.device) ?? '');
        this.#builders.set(key, builder);
      }
      return builder;
    });
    this.#silent = Int32Array.from(silentTags(table));
  }

  /** Looks at these tags, just accepted at monotonic time `now`. */
  consider(indices: Int32Array | readonly number[], now: number): void {
    const { numbers, qualities, times, wide, table } = this.#image;
    const { deadbands, maxSilences, kinds, events } = table;
    for (let i = 0; i < indices.length; i++) {
      const tag = indices[i] as number;
      const value = numbers[tag] as number;
      const quality = qualities[tag] as number;
      if (quality === this.#lastQualities[tag]) {
        const kind = kinds[tag] as number;
        // Two separate tests: NaN and equal numbers must both count as "not moved".
        const moved =
          events[tag] === 1
            ? times[tag] !== this.#lastSampled[tag]
            : kind < Kind.text
              ? Math.abs(value - (this.#lastNumbers[tag] as number)) > (deadbands[tag] as number)
              : wide[tag] !== this.#lastWide[tag];
        const due = now - (this.#lastTimes[tag] as number) >= (maxSilences[tag] as number);
        // A bad value has nothing to say but its quality.
        if (!(moved && quality < 0x80) && !due) {
          this.unreported++;
          continue;
        }
      }
      this.#report(tag, value, quality, times[tag] as number, now);
    }
  }

  #report(tag: number, value: number, quality: number, time: number, now: number): void {
    const kind = this.#image.table.kinds[tag] as number;
    const wide = kind >= Kind.text ? this.#image.wide[tag] : undefined;
    this.#lastNumbers[tag] = value;
    this.#lastQualities[tag] = quality;
    this.#lastTimes[tag] = now;
    this.#lastSampled[tag] = time;
    if (kind >= Kind.text) this.#lastWide[tag] = wide;
    this.reported++;
    const builder = this.#builderOf[tag] as BlockBuilder;
    if (builder.count === 0) builder.openedAt = now;
    builder.add(this.#image.table.positions[tag] as number, time, quality, kind, value, wide);
    if (builder.count >= limits.blockSamples) this.#close(builder);
  }

  /** Reports tags whose silence has lasted too long though nothing was read (events, dead links). */
  considerSilent(now: number): void {
    this.consider(this.#silent, now);
  }

  /** Closes the block of a stream: its scan is over. */
  finish(device: string, group: string): void {
    const builder = this.#builders.get(`${device}\n${group}`);
    if (builder && builder.count > 0) this.#close(builder);
  }

  /** Closes blocks that are older than `limits.blockAgeMs`; all of them with `all`. */
  closeOld(now: number, all = false): void {
    for (const builder of this.#builders.values()) {
      if (builder.count > 0 && (all || now - builder.openedAt >= limits.blockAgeMs))
        this.#close(builder);
    }
  }

  /** When the oldest open block must be closed; undefined when none is open. */
  nextDue(): number | undefined {
    let due: number | undefined;
    for (const builder of this.#builders.values()) {
      if (builder.count > 0) due = Math.min(due ?? Infinity, builder.openedAt + limits.blockAgeMs);
    }
    return due;
  }

  /** Everything will be reported at its next sample: after a restart of a sink's dictionary. */
  forget(): void {
    this.#lastQualities.fill(0xff);
  }

  #close(builder: BlockBuilder): void {
    this.#emit(builder.close(this.#wallOffset()));
  }
}

function silentTags(table: TagTable): readonly number[] {
  return table.tags
    .filter(
      (tag) => tag.origin !== 'device' && (table.maxSilences[tag.index] ?? Infinity) < Infinity,
    )
    .map((tag) => tag.index);
}
