import { enlarge, GatewayError } from '../../gateway/contract/index.js';
import type { Node } from '../check/ir.js';

/**
 * A checked expression as a program keeps it. Ten thousand rules as trees of objects would be most of the memory
 * of the engine, though trees are asked for only when steps are made of them and when somebody wants to know why.
 */
export class Packed {
  /** Where value and quality of the whole expression are. */
  readonly slot: number;
  readonly #larder: Larder;
  readonly #at: number;

  constructor(slot: number, larder: Larder, at: number) {
    this.slot = slot;
    this.#larder = larder;
    this.#at = at;
  }

  /** Where it is in the larder of its program. */
  get at(): number {
    return this.#at;
  }

  /** As written. */
  get source(): string {
    return String(unpack(this.#open()));
  }

  /** The tree, made anew at each call: not for what runs in every scan. */
  tree(): Node {
    const reading = this.#open();
    reading.text = String(unpack(reading));
    // What was packed was a node, and everything comes out as it went in.
    return unpack(reading) as Node;
  }

  #open(): Reading {
    return { larder: this.#larder, at: this.#at, slot: this.slot, text: '' };
  }
}

/** Packed trees, one after the other; what they share stands once. */
export interface Larder {
  /** Figures, seven bits a byte, the lowest first; the eighth bit says that another byte follows. */
  bytes: Uint8Array;
  readonly shapes: (readonly string[])[];
  readonly values: unknown[];
}

/** What a figure is for: its lowest three bits. The figure itself is above them. */
const form = {
  /** The value at that position among the shared ones. */
  shared: 0,
  /** A node or an input, of the shape at that position; its fields follow. */
  record: 1,
  /** So many elements follow. */
  list: 2,
  /** A part of the source of the whole: from there on; the length follows. */
  part: 3,
  /** So many slots before that of the whole, and behind it. */
  before: 4,
  behind: 5,
  /** A whole number, not negative. */
  number: 6,
} as const;
const formBits = 3;
const formMask = 2 ** formBits - 1;
/** Figures stay within 31 bits with their form. */
const bound = 2 ** (31 - formBits);

/** Packs the expressions of one program. */
export class Packer {
  readonly larder: Larder = { bytes: new Uint8Array(1024), shapes: [], values: [] };
  readonly #shapes = new Map<string, number>();
  readonly #places = new Map<unknown, number>();
  #used = 0;

  /** `within`: a text that is kept anyhow, and may contain the source. */
  pack(node: Node, within: string): Packed {
    const at = this.#used;
    const from = within.indexOf(node.source);
    // A slice of a text that is there costs a pointer.
    const text = from < 0 ? node.source : within.slice(from, from + node.source.length);
    this.#share(text);
    this.#put(node, { text, slot: node.slot });
    return new Packed(node.slot, this.larder, at);
  }

  /** All is packed: gives back the room that is left. */
  close(): void {
    this.larder.bytes = this.larder.bytes.slice(0, this.#used);
  }

  #put(value: unknown, whole: Whole): void {
    if (Array.isArray(value)) {
      this.#write(form.list, value.length);
      for (const one of value) this.#put(one, whole);
    } else if (isOwn(value)) {
      const keys = Object.keys(value);
      this.#write(form.record, this.#shapeOf(keys));
      for (const key of keys) this.#putField(key, value[key], whole);
    } else if (isFigure(value)) this.#write(form.number, value);
    else this.#share(value);
  }

  #putField(key: string, value: unknown, { text, slot }: Whole): void {
    const from = key === 'source' ? text.indexOf(String(value)) : -1;
    if (from >= 0) {
      this.#write(form.part, from);
      this.#write(form.number, String(value).length);
    } else if (key === 'slot') {
      const behind = Number(value) - slot;
      this.#write(behind < 0 ? form.before : form.behind, Math.abs(behind));
    } else this.#put(value, { text, slot });
  }

  #share(value: unknown): void {
    let place = this.#places.get(value);
    if (place === undefined) {
      place = this.larder.values.push(value) - 1;
      this.#places.set(value, place);
    }
    this.#write(form.shared, place);
  }

  #shapeOf(keys: readonly string[]): number {
    const name = keys.join();
    let shape = this.#shapes.get(name);
    if (shape === undefined) {
      shape = this.larder.shapes.push(keys) - 1;
      this.#shapes.set(name, shape);
    }
    return shape;
  }

  #write(kind: number, figure: number): void {
    const larder = this.larder;
    if (this.#used + 5 > larder.bytes.length) {
      larder.bytes = enlarge(larder.bytes, new Uint8Array(2 * larder.bytes.length));
    }
    let rest = figure * 2 ** formBits + kind;
    for (; rest >= 0x80; rest >>>= 7) larder.bytes[this.#used++] = (rest & 0x7f) | 0x80;
    larder.bytes[this.#used++] = rest;
  }
}

/** What the parts of an expression are told by. */
interface Whole {
  readonly text: string;
  readonly slot: number;
}

/** Nodes and inputs belong to their rule alone; everything else (tags, units, curves) may be shared. */
function isOwn(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && 'slot' in value;
}
/** -0 is not 0 to a division. */
function isFigure(value: unknown): value is number {
  return Number.isInteger(value) && !Object.is(value, -0) && inRange(Number(value));
}
function inRange(value: number): boolean {
  return value >= 0 && value < bound;
}

interface Reading {
  readonly larder: Larder;
  at: number;
  text: string;
  readonly slot: number;
}

function read(reading: Reading): number {
  const { bytes } = reading.larder;
  let figure = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[reading.at++] as number;
    figure |= (byte & 0x7f) << shift;
    if (byte < 0x80) return figure;
  }
}

/** Takes one value and moves behind it. */
function unpack(reading: Reading): unknown {
  const { shapes, values } = reading.larder;
  const cell = read(reading);
  const figure = cell >>> formBits;
  switch (cell & formMask) {
    case form.shared:
      return values[figure];
    case form.list:
      return Array.from({ length: figure }, () => unpack(reading));
    case form.record: {
      const record: Record<string, unknown> = {};
      for (const key of shapes[figure] ?? []) record[key] = unpack(reading);
      return record;
    }
    case form.part:
      return reading.text.slice(figure, figure + (read(reading) >>> formBits));
    case form.before:
      return reading.slot - figure;
    case form.behind:
      return reading.slot + figure;
    case form.number:
      return figure;
    default:
      throw new GatewayError('internal', `nothing is packed as ${cell}`);
  }
}
