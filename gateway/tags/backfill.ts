import { backfillClass, Batch, mono, type Samples } from '../contract/index.js';
import { limits } from '../limits.js';
import { acceptBatch } from './accept.js';
import { type Block, BlockBuilder } from './block.js';
import { TagImage } from './image.js';
import type { TagTable } from './table.js';

export interface BackfillOptions {
  readonly table: TagTable;
  readonly revisions: ReadonlyMap<string, string>;
  readonly wallOffset: () => number;
  readonly emit: (block: Block) => void;
}

/**
 * Records what a device remembers of a time in which it could not tell. It goes to the journal in a stream
 * of its own, marked historical; the image and the rules do not see it.
 */
export class BackfillRecorder {
  readonly #o: BackfillOptions;
  /** Only to convert in: raw to engineering units is done in one place. */
  #scratch: TagImage | undefined;
  readonly #one = new Batch(1);
  readonly #index = new Int32Array(1);

  constructor(options: BackfillOptions) {
    this.#o = options;
  }

  /**
   * @param indices image position of each position of the samples
   * @param now monotonic ms from which their ages count
   */
  record(device: string, samples: Samples, indices: Int32Array, now: number): void {
    const { table, revisions, wallOffset, emit } = this.#o;
    const image = (this.#scratch ??= new TagImage(table));
    const builder = new BlockBuilder(device, backfillClass, revisions.get(device) ?? '');
    for (let i = 0; i < samples.count; i++) {
      const tag = indices[samples.positions[i] as number] ?? -1;
      const age = samples.ages[i] as number;
      // When it was is all that history is about.
      if (tag < 0 || !(age >= 0)) continue;
      this.#convert(image, tag, samples, i, now - age);
      builder.add(
        table.positions[tag] as number,
        image.times[tag] as number,
        image.qualities[tag] as number,
        table.kinds[tag] as number,
        image.numbers[tag] as number,
        image.wide[tag],
      );
      if (builder.count >= limits.blockSamples) emit(builder.close(wallOffset()));
    }
    if (builder.count > 0) emit(builder.close(wallOffset()));
  }

  #convert(image: TagImage, tag: number, samples: Samples, i: number, time: number): void {
    const batch = this.#one;
    batch.begin(mono(time));
    batch.numberAs(0, samples.numbers[i] as number, samples.qualities[i] as never);
    batch.wide[0] = samples.wide?.get(i);
    this.#index[0] = tag;
    acceptBatch(image, this.#index, batch);
  }
}
