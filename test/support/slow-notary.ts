import { PlainFile } from '../../gateway/host/notary-thread.js';

/** First bytes of what takes time, and of what cannot be written. */
export const slowByte = 0xff;
export const badByte = 0xfe;
/** Of a slow write, ms. */
export const slowMs = 400;

/** The thread of a notary whose disk is slow, or refuses, as the bytes say. */
export class SlowFile extends PlainFile {
  override write(bytes: Uint8Array, at: number): void {
    const [first, second] = bytes;
    if (first === slowByte) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, slowMs);
    if (first === badByte || (first === slowByte && second === badByte))
      throw new RangeError('no space left on the card');
    super.write(bytes, at);
  }
}
