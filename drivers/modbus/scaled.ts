/** Values whose scale the device gives in another register, as SunSpec has it. */
import { Batch, isGood, Quality, type TagBinding } from '../../gateway/contract/index.js';
import type { ModbusAddress } from './address.js';
import { Decoder } from './decode.js';

/** What the other register says. */
export const scaleKinds = ['power-of-ten', 'factor', 'divisor'] as const;
export type ScaleKind = (typeof scaleKinds)[number];

/** A value and its scale: one request brings both. */
export interface Scaled {
  readonly raw: ModbusAddress;
  readonly scale: ModbusAddress;
  readonly kind: ScaleKind;
}

/** Types that can hold a raw value or a scale here: exact as numbers. */
export const rawTypes = ['int16', 'uint16', 'int32', 'uint32', 'float32'] as const;

/** Of SunSpec; beyond it nothing is a scale. */
const mostTens = 10;

/** Tens are multiplied or divided by, so that 123 tenths are 12.3 and not 12.3000000001. */
function inUnits(raw: number, scale: number, kind: ScaleKind): number | undefined {
  if (kind === 'factor') return raw * scale;
  if (kind === 'divisor') return scale === 0 ? undefined : raw / scale;
  if (!Number.isInteger(scale) || Math.abs(scale) > mostTens) return undefined;
  return scale < 0 ? raw / 10 ** -scale : raw * 10 ** scale;
}

/** The raw value for one in units; undefined where the scale is none. */
export function toRaw(value: number, scale: number, kind: ScaleKind): number | undefined {
  const one = inUnits(1, scale, kind);
  if (one === undefined || one === 0 || !Number.isFinite(one)) return undefined;
  if (kind === 'power-of-ten') return scale < 0 ? value * 10 ** -scale : value / 10 ** scale;
  return value / one;
}

function alone(address: ModbusAddress): TagBinding<ModbusAddress> {
  return { tag: 0, name: '', device: '', type: address.type, address };
}

/** Decodes one such value out of an answer. */
export class ScaledDecoder {
  readonly #decoder: Decoder;
  readonly #kind: ScaleKind;
  readonly #batch = new Batch(2);

  /** @param start first address of the request */
  constructor({ raw, scale, kind }: Scaled, start: number) {
    this.#decoder = new Decoder([alone(raw), alone(scale)], start);
    this.#kind = kind;
  }

  /** @returns nothing where the device says that it has no value or no scale */
  decode(bytes: Uint8Array, base: number): number | undefined {
    this.#decoder.decode(bytes, base, this.#batch);
    const { numbers, qualities } = this.#batch;
    if (qualities.some((quality) => !isGood(quality))) return undefined;
    return inUnits(numbers[0] as number, numbers[1] as number, this.#kind);
  }
}

/** The scale alone, out of an answer that begins with it. */
export function scaleIn(data: Uint8Array, { scale }: Scaled): number | undefined {
  const batch = new Batch(1);
  new Decoder([alone(scale)], scale.start).decode(data, 0, batch);
  return batch.qualities[0] === Quality.good ? batch.numbers[0] : undefined;
}
