import { type Clock, GatewayError, globMatcher, mono, Quality } from '../contract/index.js';
import { limits } from '../limits.js';
import { type Dictionary, sameTags } from '../north/dictionary.js';
import { valueOf } from '../tags/image.js';
import { derivedDevice } from '../tags/table.js';
import { tagView, type TagAbout, type TagView } from './tag-view.js';
import type { ImageCopy } from './wall/image-copy.js';

export interface TagListOptions {
  readonly clock: Clock;
  /** Has the field half copy its image. */
  readonly copy: () => Promise<ImageCopy>;
  /** Of the configuration that runs, as far as this half knows. */
  readonly dictionaries: () => readonly Dictionary[];
}

/** Copies that may be of another configuration, before whoever asks is sent away. */
const tries = 10;

/**
 * Lists of tags for those who look at many of them. However many ask, the half that polls copies its image twice a second at most; everybody
 * gets one that was taken after they asked.
 */
export class TagList {
  readonly #o: TagListOptions;
  #next: Promise<ImageCopy> | undefined;
  #takenAt = -Infinity;

  constructor(options: TagListOptions) {
    this.#o = options;
  }

  /** Tags whose names fit, in the order of the configuration. */
  async list(pattern: string): Promise<readonly TagView[]> {
    for (let left = tries; left > 0; left--) {
      const copy = await this.#soon();
      const dictionaries = this.#o.dictionaries();
      // A configuration that has changed in between is known to this half in a moment.
      if (copy.tags === sameTags(dictionaries))
        return listed(copy, dictionaries, globMatcher(pattern));
    }
    throw new GatewayError('half-down', 'the configuration is changing');
  }

  /** Shared by all who ask before it is taken. */
  #soon(): Promise<ImageCopy> {
    this.#next ??= this.#take();
    return this.#next;
  }

  async #take(): Promise<ImageCopy> {
    const { clock, copy } = this.#o;
    const due = mono(this.#takenAt + limits.imageCopyMs);
    if (due > clock.mono()) await new Promise<void>((go) => clock.at(due, go));
    // Who asks in the same moment gets the same.
    else await Promise.resolve();
    this.#takenAt = clock.mono();
    this.#next = undefined;
    return copy();
  }
}

/** As it is in the JSON of a dictionary. */
interface Entry {
  readonly unit?: string;
  readonly enum?: Readonly<Record<string, string>>;
  readonly writable?: boolean;
}

function listed(
  copy: ImageCopy,
  dictionaries: readonly Dictionary[],
  fits: (name: string) => boolean,
): readonly TagView[] {
  const found: TagView[] = [];
  let first = 0;
  for (const { device, names, json } of dictionaries) {
    const full = device === derivedDevice ? names : names.map((name) => `${device}.${name}`);
    if (full.some(fits)) {
      const { tags } = JSON.parse(json) as { readonly tags: readonly Entry[] };
      for (const [i, name] of full.entries())
        if (fits(name)) found.push(viewAt(copy, first + i, aboutOf(name, tags[i] ?? {})));
    }
    first += names.length;
  }
  return found;
}

function aboutOf(name: string, entry: Entry): TagAbout {
  return {
    name,
    unit: entry.unit,
    writable: entry.writable === true,
    textOf: (value) => entry.enum?.[String(value)],
  };
}

function viewAt(copy: ImageCopy, at: number, about: TagAbout): TagView {
  const time = copy.times[at] ?? 0;
  return tagView(about, {
    value: valueOf(copy.kinds[at] ?? 0, copy.numbers[at] ?? NaN, copy.wide.get(at)),
    quality: copy.qualities[at] ?? Quality.internal,
    time,
    ageMs: time === 0 ? 0 : Math.max(0, copy.at - time),
    why: copy.refusals.get(at),
  });
}
