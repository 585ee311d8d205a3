import type { Log, Value, WallMs } from '../contract/index.js';
import { jsonValue } from '../contract/index.js';

/** The chain goes on where it was; one that is not readable begins anew, which shows, and is told. */
function chainOf({ state, log }: AuditOptions): ChainState {
  const fresh = { n: 0, hash: '' };
  if (state === undefined) return fresh;
  const { n, hash } = (JSON.parse(state) ?? {}) as Partial<ChainState>;
  if (typeof n === 'number' && Number.isSafeInteger(n) && typeof hash === 'string')
    return { n, hash };
  log.error('the end of the audit chain is damaged: a new chain begins');
  return fresh;
}

/** Who did what to which thing, and what came of it. */
export interface AuditEvent {
  readonly who: string;
  /** Where it came from: `cli`, `rules`, `cloud`, `config`. */
  readonly source: string;
  /** `write`, `reset`, `ack`, `reload` … */
  readonly action: string;
  readonly object: string;
  readonly before?: Value;
  readonly after?: Value;
  /** `requested`, `done`, or the code of the refusal. */
  readonly result: string;
}

/** Where it is recorded; see {@link Audit.record}. */
export interface AuditTrail {
  record: (event: AuditEvent) => Promise<void>;
}

/** The last link of the chain, durable with the record it belongs to. */
interface ChainState {
  readonly n: number;
  readonly hash: string;
}

export interface AuditOptions {
  /** Makes record and state durable together; rejects when it cannot. `source`: as {@link Audit.record} was given it. */
  store: (json: string, state: string, kind: 'audit' | 'refusal', source?: number) => Promise<void>;
  /** SHA-256, hexadecimal. */
  hash: (text: string) => string;
  wall: () => WallMs;
  /** What `state` was stored last; undefined on a new journal. */
  readonly state: string | undefined;
  readonly log: Log;
}

/**
 * The audit log: numbered without gaps, each record carrying the hash of the one before, so that a record
 * taken out or changed later shows.
 */
export class Audit implements AuditTrail {
  readonly #o: AuditOptions;
  #chain: ChainState;

  constructor(options: AuditOptions) {
    this.#o = options;
    this.#chain = chainOf(options);
  }

  /** The disk answers that did not at the start: the chain goes on from it, unless this start has records of its own already. */
  goOn(state: string | undefined): void {
    if (this.#chain.n === 0) this.#chain = chainOf({ ...this.#o, state });
    else
      this.#o.log.warn(
        'audit records were made before the disk answered: their chain is a new one',
      );
  }

  /**
   * Settles when the record is durable. One that the disk refuses now waits in the journal, and is in the chain all the same.
   * @param ts when it happened, wall ms
   * @param source its number at whoever keeps it until it is durable
   */
  async record(event: AuditEvent, ts: number = this.#o.wall(), source?: number): Promise<void> {
    const n = this.#chain.n + 1;
    const { before, after, ...rest } = event;
    const json = JSON.stringify({
      n,
      ts,
      ...rest,
      ...(before === undefined ? {} : { before: jsonValue(before) }),
      ...(after === undefined ? {} : { after: jsonValue(after) }),
      prev: this.#chain.hash,
    });
    this.#chain = { n, hash: this.#o.hash(json) };
    this.#tell(event);
    const kind = isRefusal(event) ? 'refusal' : 'audit';
    await this.#o.store(json, JSON.stringify(this.#chain), kind, source);
  }

  /** What came of it is a line of the log, too. */
  #tell({ who, source, action, object, after, result }: AuditEvent): void {
    // What rules write is an event.
    if (result === 'requested' || source === 'rules') return;
    const value = after === undefined ? {} : { value: String(after) };
    const fields = { who, source, action, object, ...value, result };
    this.#o.log[result === 'done' ? 'info' : 'warn']('command', fields);
  }
}

/** Of what was asked and not done anybody can make as many as he likes. */
function isRefusal({ result, source }: AuditEvent): boolean {
  return source !== 'rules' && result !== 'requested' && result !== 'done';
}
