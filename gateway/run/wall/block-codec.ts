import type { Codec } from '../../contract/index.js';
import { type Block, columnsIn, columnsOf, sampleBytes } from '../../tags/block.js';
import type { ToField, ToNorth } from './messages.js';

/**
 * Messages between the halves as bytes. Blocks are nearly all of them, and their columns go as they are: what is allocated
 * outside the heap for each is what the garbage collector works for most.
 *
 *     [u8 kind][3 bytes][u32 length of the head][head, up to a multiple of 8][columns, the widest first]
 *
 * What is no block is a clone behind eight bytes of which only the first means something.
 */
const kinds = { clone: 0, block: 1 } as const;
const prefixBytes = 8;
/** Memory that is used again: for the blocks of most plants it is enough. */
const scratchBytes = 131_072;

type BlockMessage = Extract<ToNorth, { readonly kind: 'entry' }> & {
  readonly entry: { readonly type: 'block' };
};
/** All of a block but its columns. */
type Head = Pick<Block, 'device' | 'group' | 'revision' | 'count' | 'wallOffset' | 'wide'> & {
  readonly n: number;
  readonly time: number;
};

/** @param clone everything else is sent by it, and the heads of blocks */
export class WallCodec {
  readonly #clone: Codec<unknown, unknown>;
  readonly #scratch = new Uint8Array(scratchBytes);

  constructor(clone: Codec<unknown, unknown>) {
    this.#clone = clone;
  }

  /** For the half that polls. */
  get north(): Codec<ToNorth, ToField> {
    return {
      encode: (message) => (isBlock(message) ? this.#block(message) : this.#whole(message)),
      decode: (frame) => this.#clone.decode(frame.subarray(prefixBytes)) as ToField,
    };
  }

  /** For the half that stores and talks. */
  get field(): Codec<ToField, ToNorth> {
    return {
      encode: (message) => this.#whole(message),
      decode: (frame) =>
        frame[0] === kinds.block
          ? this.#blockIn(frame)
          : (this.#clone.decode(frame.subarray(prefixBytes)) as ToNorth),
    };
  }

  /** What is larger, such as a plan, is rare, and not worth keeping memory for. */
  #memory(length: number): Uint8Array {
    return length > scratchBytes ? new Uint8Array(length) : this.#scratch.subarray(0, length);
  }

  #whole(message: unknown): Uint8Array {
    const body = this.#clone.encode(message);
    const frame = this.#memory(prefixBytes + body.length);
    frame[0] = kinds.clone;
    frame.set(body, prefixBytes);
    return frame;
  }

  #block({ n, entry }: BlockMessage): Uint8Array {
    const { block, time } = entry;
    const { device, group, revision, count, wallOffset, wide } = block;
    const fields: Head = { n, time, device, group, revision, count, wallOffset, wide };
    const head = this.#clone.encode(fields);
    let at = columnsAt(head.length);
    const frame = this.#memory(at + count * sampleBytes);
    frame[0] = kinds.block;
    new DataView(frame.buffer).setUint32(4, head.length, true);
    frame.set(head, prefixBytes);
    for (const { buffer, byteOffset, byteLength } of columnsOf(block)) {
      frame.set(new Uint8Array(buffer, byteOffset, byteLength), at);
      at += byteLength;
    }
    return frame;
  }

  #blockIn({ buffer, byteOffset }: Uint8Array): ToNorth {
    const headBytes = new DataView(buffer, byteOffset).getUint32(4, true);
    const head = new Uint8Array(buffer, byteOffset + prefixBytes, headBytes);
    const { n, time, device, group, revision, count, wallOffset, wide } = this.#clone.decode(
      head,
    ) as Head;
    // One literal, the same as where blocks are made, so that all have one shape: what writes them out reads them a thousand times each.
    const block: Block = {
      device,
      group,
      revision,
      count,
      ...columnsIn(buffer, byteOffset + columnsAt(headBytes), count),
      wallOffset,
      wide,
    };
    return { kind: 'entry', n, entry: { type: 'block', block, time } };
  }
}

function isBlock(message: ToNorth): message is BlockMessage {
  return message.kind === 'entry' && message.entry.type === 'block';
}

function columnsAt(headBytes: number): number {
  return prefixBytes + 8 * Math.ceil(headBytes / 8);
}
