/** A name as one topic level: everything outside `[A-Za-z0-9_.-]` is escaped as %XX of its UTF-8 bytes. */
export function level(name: string): string {
  return name.replace(/[^A-Za-z0-9_.-]/gu, (character) =>
    [...new TextEncoder().encode(character)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  );
}

/** The topic tree below the root of a sink; see docs/topics.md. */
export class Topics {
  readonly #root: string;
  constructor(root: string) {
    this.#root = root;
  }

  get status(): string {
    return `${this.#root}/status`;
  }
  get info(): string {
    return `${this.#root}/info`;
  }
  get health(): string {
    return `${this.#root}/health`;
  }
  get alarmFigures(): string {
    return `${this.#root}/alarm-figures`;
  }
  link(name: string): string {
    return `${this.#root}/link/${level(name)}/status`;
  }
  device(name: string): string {
    return `${this.#root}/dev/${level(name)}/status`;
  }
  meta(device: string): string {
    return `${this.#root}/dev/${level(device)}/meta`;
  }
  /** Live data, or history in its own lane. */
  data(device: string, group: string, history: boolean): string {
    return `${this.#root}/dev/${level(device)}/${history ? 'hist' : 'data'}/${level(group)}`;
  }
  alarm(id: string): string {
    return `${this.#root}/alarm/${level(id)}`;
  }
  event(type: string): string {
    return `${this.#root}/event/${level(type)}`;
  }
  get gap(): string {
    return `${this.#root}/gap`;
  }
  get audit(): string {
    return `${this.#root}/audit`;
  }
}
