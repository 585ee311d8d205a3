import type { GatewayError, MonoMs } from '../../contract/index.js';
import { limits } from '../../limits.js';

/** What a broker may forbid apart from the rest. */
export type TopicClass = 'data' | 'history' | 'event' | 'gap' | 'audit' | 'retained';

/** A message as far as it can be refused; `key` stands for its topic. */
export interface Subject {
  readonly topicClass: TopicClass;
  readonly key: string;
  /** What makes its neighbours, live or late. */
  readonly stream: string;
  /** Position of its entry in the journal; undefined for what stands. */
  readonly pos?: number;
}

/** Something that the broker does not take now, for status and health. */
export interface Held {
  /** A whole class of topics; undefined: one topic. */
  readonly topicClass: TopicClass | undefined;
  /** The topic of the message that was refused last. */
  readonly topic: string;
  readonly why: string;
}

type Probe = 'closed' | 'free' | 'sent';

/** A closed door: after each wait one message is tried. */
interface Hold {
  readonly topicClass: TopicClass;
  readonly since: number;
  wait: number;
  dueAt: number;
  probe: Probe;
  probes: number;
  topic: string;
  why: string;
}

/** A message that was refused while others of its topic may have passed. */
interface Struck {
  readonly stream: string;
  /** Where it was refused: who passes elsewhere proves nothing. */
  readonly keys: ReadonlySet<string>;
  times: number;
  neighbourPassed: boolean;
  wait: number;
  dueAt: number;
  /** Its time is over, and it was said so. */
  isOffered: boolean;
}

/**
 * What a broker refuses for a time. A topic of which a message is refused is held, and tried again with one message, at
 * intervals that double; a whole class of topics, where no other topic of the class has passed lately. A message is given
 * up only where it is the message: refused five times, while others of its topic passed in between.
 */
export class Refusals {
  readonly #now: () => MonoMs;
  readonly #classes = new Map<TopicClass, Hold>();
  readonly #keys = new Map<string, Hold>();
  readonly #struck = new Map<number, Struck>();
  /** The last two topics of a class that passed, and when. */
  readonly #passed = new Map<TopicClass, { readonly key: string; at: number }[]>();

  constructor(now: () => MonoMs) {
    this.#now = now;
  }

  /** Nothing is held, as nearly always: then nobody need ask. */
  get isEmpty(): boolean {
    return this.#classes.size + this.#keys.size + this.#struck.size === 0;
  }

  mayGo(subject: Subject): boolean {
    const { pos } = subject;
    const struck = pos === undefined ? undefined : this.#struck.get(pos);
    const holds = this.#holdsOf(subject);
    if (holds.length === 0) return !struck || this.#now() >= struck.dueAt;
    // Every other try leaves out what was refused before: perhaps it is only that.
    return holds.every(({ probe, probes }) => probe === 'free' && !(struck && probes % 2 === 1));
  }

  /** It goes out now. */
  sent(subject: Subject): void {
    for (const hold of this.#holdsOf(subject)) hold.probe = 'sent';
  }

  /** @returns is more free to go than before? */
  passed({ topicClass, key, stream, pos }: Subject): boolean {
    const last = this.#passed.get(topicClass);
    if (last?.[0]?.key === key) last[0].at = this.#now();
    else this.#passed.set(topicClass, [{ key, at: this.#now() }, ...(last ?? []).slice(0, 1)]);
    if (this.isEmpty) return false;
    if (pos !== undefined) this.#struck.delete(pos);
    for (const struck of this.#struck.values())
      if (struck.stream === stream && struck.keys.has(key)) struck.neighbourPassed = true;
    const ofKey = this.#keys.delete(key);
    return this.#classes.delete(topicClass) || ofKey;
  }

  /** @returns what to do with the message: it is kept, unless it is wrong itself */
  refused(subject: Subject, topic: string, { message }: GatewayError): 'keep' | 'give-up' {
    const { topicClass, key, stream, pos } = subject;
    if (pos !== undefined && this.#strike(pos, key, stream)) return 'give-up';
    const holds = this.#holdsOf(subject);
    for (const hold of holds) this.#closeAgain(hold, topic, message);
    if (holds.length > 0) return 'keep';
    const hold = closed(this.#now(), topicClass, topic, message);
    if (this.#othersPass(topicClass, key)) this.#keys.set(key, hold);
    else this.#holdClass(hold);
    return 'keep';
  }

  /** The broker has said of this one that it is wrong in itself, and nothing of the others: the next one is the try. */
  saidNothing(subject: Subject): void {
    freeAgain(this.#holdsOf(subject));
  }

  /** The connection is gone: what was tried was not answered. */
  lost(): void {
    freeAgain(this.#holds());
  }

  /** Opens what is due for one try. @returns did anything become free? */
  release(): boolean {
    const now = this.#now();
    let isFree = false;
    for (const hold of this.#holds()) {
      if (hold.probe === 'sent' || hold.dueAt > now) continue;
      // One that nothing came for turns to the other kind of try.
      if (hold.probe === 'free') hold.wait = nextWait(hold.wait);
      hold.probe = 'free';
      hold.probes++;
      hold.dueAt = now + hold.wait;
      isFree = true;
    }
    for (const struck of this.#struck.values()) {
      if (struck.isOffered || struck.dueAt > now) continue;
      struck.isOffered = true;
      isFree = true;
    }
    return isFree;
  }

  /** When {@link release} has something to do, ms of the monotonic clock. */
  get nextAt(): number | undefined {
    const times = [
      ...this.#holds().flatMap(({ probe, dueAt }) => (probe === 'sent' ? [] : [dueAt])),
      ...[...this.#struck.values()].flatMap(({ isOffered, dueAt }) => (isOffered ? [] : [dueAt])),
    ];
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** What is held now, classes first. */
  get held(): readonly Held[] {
    const classes = [...this.#classes].map(([topicClass, { topic, why }]) => ({
      topicClass,
      topic,
      why,
    }));
    const keys = [...this.#keys.values()].map(({ topic, why }) => ({
      topicClass: undefined,
      topic,
      why,
    }));
    return [...classes, ...keys];
  }

  /** What may hold this one: its class, its topic. */
  #holdsOf({ topicClass, key }: Subject): readonly Hold[] {
    const holds = [this.#classes.get(topicClass), this.#keys.get(key)];
    return holds.filter((hold) => hold !== undefined);
  }
  #holds(): readonly Hold[] {
    return [...this.#classes.values(), ...this.#keys.values()];
  }

  /** @returns is it the message itself that is not wanted? */
  #strike(pos: number, key: string, stream: string): boolean {
    const before = this.#struck.get(pos);
    if (!before && this.#struck.size >= limits.struckMessages) return false;
    const wait = nextWait(before?.wait);
    const counts = before ? Number(before.neighbourPassed) : 1;
    const struck: Struck = {
      stream,
      keys: new Set([...(before?.keys ?? []), key]),
      times: (before?.times ?? 0) + counts,
      neighbourPassed: false,
      wait,
      dueAt: this.#now() + wait,
      isOffered: false,
    };
    if (struck.times < limits.notNowTimes) {
      this.#struck.set(pos, struck);
      return false;
    }
    this.#struck.delete(pos);
    return true;
  }

  #closeAgain(hold: Hold, topic: string, why: string): void {
    // One answer after the other to what was on its way together is one refusal.
    if (hold.probe === 'closed') return;
    const wait = nextWait(hold.wait);
    Object.assign(hold, { wait, dueAt: this.#now() + wait, probe: 'closed', topic, why });
  }

  #holdClass(hold: Hold): void {
    for (const [key, { topicClass }] of this.#keys)
      if (topicClass === hold.topicClass) this.#keys.delete(key);
    this.#classes.set(hold.topicClass, hold);
  }

  #othersPass(topicClass: TopicClass, key: string): boolean {
    // What passed before the first of them was refused says nothing of now.
    const first = [...this.#keys.values()].find((hold) => hold.topicClass === topicClass);
    const from = Math.max(this.#now() - limits.notNowNeighbourMs, first?.since ?? 0);
    return (this.#passed.get(topicClass) ?? []).some(
      (other) => other.key !== key && other.at >= from,
    );
  }
}

/** What was tried was not answered for what is held. */
function freeAgain(holds: readonly Hold[]): void {
  for (const hold of holds) if (hold.probe === 'sent') hold.probe = 'free';
}

function closed(now: number, topicClass: TopicClass, topic: string, why: string): Hold {
  const wait = nextWait(undefined);
  const dueAt = now + wait;
  return { topicClass, since: now, wait, dueAt, probe: 'closed', probes: 0, topic, why };
}

function nextWait(before: number | undefined): number {
  return before === undefined ? limits.notNowFirstMs : Math.min(2 * before, limits.notNowMaxMs);
}
