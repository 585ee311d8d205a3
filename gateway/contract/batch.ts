import { Quality, type QualityCode } from './quality.js';
import { mono, type MonoMs } from './time.js';

/**
 * The readings of one group, raw (before scale and offset), as arrays that are reused:
 * a driver writes by position, nothing is allocated per value. Position i is `group.tags[i]`.
 */
export class Batch {
  readonly capacity: number;
  /** Raw number; 0 or 1 for bool; the nearest double for 64-bit integers. */
  readonly numbers: Float64Array;
  readonly qualities: Uint8Array;
  /** String or exact 64-bit integer of position i, only for tags of such a type. */
  readonly wide: (string | bigint | undefined)[] = [];
  /** When the request was sent, given by the host: a driver reads no clock. */
  sentAt: MonoMs = mono(0);
  /** When each position was sampled, monotonic ms, if the device reports it; set by the host. */
  times: Float64Array | undefined;
  /** Set by the host when the image no longer holds what the driver read last: decode everything. */
  mustDecode = true;
  #unchanged = false;
  #heard = false;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.numbers = new Float64Array(capacity);
    this.qualities = new Uint8Array(capacity);
  }

  /** Called by the host before each read: every position is bad until the driver says otherwise. */
  begin(sentAt: MonoMs): void {
    this.sentAt = sentAt;
    this.#unchanged = false;
    this.#heard = false;
    this.qualities.fill(Quality.internal);
  }

  number(position: number, raw: number): void {
    this.numbers[position] = raw;
    this.qualities[position] = Quality.good;
  }

  /** A value with a specific quality, such as `substituted`. */
  numberAs(position: number, raw: number, quality: QualityCode): void {
    this.numbers[position] = raw;
    this.qualities[position] = quality;
  }

  text(position: number, value: string): void {
    this.wide[position] = value;
    this.numbers[position] = NaN;
    this.qualities[position] = Quality.good;
  }

  integer64(position: number, value: bigint): void {
    this.wide[position] = value;
    this.numbers[position] = Number(value);
    this.qualities[position] = Quality.good;
  }

  bad(position: number, quality: QualityCode): void {
    this.qualities[position] = quality;
  }

  /** Lowers values that are good so far to this quality. */
  doubt(quality: QualityCode): void {
    const { qualities } = this;
    for (let i = 0; i < qualities.length; i++)
      if (qualities[i] === Quality.good) qualities[i] = quality;
  }

  allBad(quality: QualityCode): void {
    this.qualities.fill(quality);
  }

  /**
   * The raw bytes are those of the last read of this group: nothing was decoded, all values are unchanged.
   * Not allowed while `mustDecode` is set.
   */
  unchanged(): void {
    this.#unchanged = true;
  }

  /**
   * The device has responded, but perhaps not to this request: if the request is given up, the host does not count the
   * device as silent, and values stay until the next scan.
   */
  heard(): void {
    this.#heard = true;
  }
  get wasHeard(): boolean {
    return this.#heard;
  }

  get isUnchanged(): boolean {
    return this.#unchanged;
  }
}
