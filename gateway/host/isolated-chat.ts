import type { DriverContext, Log } from '../contract/index.js';
import { limits } from '../limits.js';
import type { FromThread } from './isolated-messages.js';

/** What a driver says beside its answers. */
export type Chat = Extract<
  FromThread,
  { kind: 'printed' | 'count' | 'notice' | 'refusal' | 'expires' | 'log' }
>;

const kinds: ReadonlySet<FromThread['kind']> = new Set<Chat['kind']>([
  'printed',
  'count',
  'notice',
  'refusal',
  'expires',
  'log',
]);

export function isChat(message: FromThread): message is Chat {
  return kinds.has(message.kind);
}

/** Hands on what drivers of a thread say beside their answers, and lets the thread know how much of it was heard. */
export class ChatRoom {
  readonly #log: Log;
  readonly #contextOf: (driver: number) => DriverContext | undefined;
  readonly #onHeard: (count: number) => void;
  /** What the thread does not know of yet. */
  #heard = 0;

  constructor(
    log: Log,
    contextOf: (driver: number) => DriverContext | undefined,
    onHeard: (count: number) => void,
  ) {
    this.#log = log;
    this.#contextOf = contextOf;
    this.#onHeard = onHeard;
  }

  heard(message: Chat): void {
    if (++this.#heard >= limits.threadChatter / 8) {
      this.#onHeard(this.#heard);
      this.#heard = 0;
    }
    if (message.kind === 'printed') {
      this.#log.debug('printed by a library', { text: message.text });
      return;
    }
    const context = this.#contextOf(message.driver);
    switch (message.kind) {
      case 'count':
        context?.count(message.event, message.device, message.times);
        break;
      case 'notice':
        context?.notice(message.device, message.text);
        break;
      case 'refusal':
        context?.refusal(message.device, message.tag, message.why);
        break;
      case 'expires':
        context?.expires(message.what, message.at);
        break;
      case 'log':
        context?.log[message.level](message.message, message.fields);
    }
  }
}
