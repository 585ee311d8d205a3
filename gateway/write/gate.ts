import type { WritePermit, WriteSource } from '../config/model.js';
import type { Clock, Log, MonoMs, Value, WriteIntent, DeviceOutcome } from '../contract/index.js';
import {
  GatewayError,
  asGatewayError,
  intentLevels,
  invariant,
  isGood,
  mono,
  Quality,
  qualityText,
} from '../contract/index.js';
import { limits } from '../limits.js';
import type { TagImage } from '../tags/image.js';
import type { TagInfo } from '../tags/table.js';
import type { AuditEvent, AuditTrail } from './audit.js';
import { isSame, toRaw } from './convert.js';
import { HeldOutput, type HeldReport } from './held.js';

export interface GateOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: AuditTrail;
  /** Puts a raw value on the wire of the tag's link, before any poll; rejects when it cannot. */
  send: (tag: TagInfo, raw: Value, urgent: boolean) => Promise<DeviceOutcome>;
  /** Reads the tag soon, to verify. */
  readBack: (tag: TagInfo) => void;
  /** An output that a rule holds was written, verified, or could not be. */
  onHeld: (report: HeldReport) => void;
  /** An output that is demanded is not obeyed, and why; undefined: it is again, or nobody demands it. */
  onObeyed: (tag: number, reason: string | undefined) => void;
  /** What is written once and for good has been acknowledged by its device. */
  onSent: (tag: TagInfo, rule: string) => void;
}

/** A write asked for by a person or from afar. */
export interface WriteCommand {
  readonly tag: string;
  readonly value: Value;
  readonly source: Exclude<WriteSource, 'rules'>;
  readonly who: string;
  /** The value that the writer believes to replace. */
  readonly expect?: Value;
}

interface Watch {
  by: TagInfo;
  readonly value: Value;
  readonly after: MonoMs;
  readonly deadline: MonoMs;
  settle: (verified: boolean) => void;
}

/**
 * The only way to a device output. Permission, range, rate and arbitration are checked here, the device's
 * obedience is verified by reading back, and everything is audited. Trips do not wait for the audit;
 * commands do.
 */
export class WriteGate {
  readonly #o: GateOptions;
  #image: TagImage;
  #permits: ReadonlyMap<string, WritePermit>;
  readonly #held = new Map<number, HeldOutput>();
  #intents: readonly WriteIntent[] = [];
  readonly #watches = new Set<Watch>();
  readonly #lastWrites = new Map<string, MonoMs>();
  /** What was last said of outputs that are not obeyed, by position. */
  readonly #reported = new Map<number, string>();
  /** Outputs that have had what is written once: by tag, the rule. */
  readonly #sent = new Map<string, string>();
  /** Tags that nobody else writes while an order stands that cannot be held there: the rule. */
  #reserved: ReadonlyMap<string, string> = new Map();
  readonly stats = { written: 0, denied: 0, notVerified: 0 };

  constructor(image: TagImage, permits: ReadonlyMap<string, WritePermit>, options: GateOptions) {
    this.#o = options;
    this.#image = image;
    this.#permits = permits;
  }

  /**
   * The configuration changed: positions are new. What rules hold goes on as it stands, so that a reload
   * sends nothing twice; only on links that began anew it is taken up again, at the next tick.
   */
  replace(
    image: TagImage,
    permits: ReadonlyMap<string, WritePermit>,
    isNew: (tag: TagInfo) => boolean,
  ): void {
    this.#image = image;
    this.#permits = permits;
    this.#intents = [];
    // Whoever is told is another one, too.
    this.#reported.clear();
    const held = [...this.#held.values()];
    this.#held.clear();
    for (const output of held) {
      const tag = image.table.get(output.tag.name);
      if (!tag || isNew(tag)) continue;
      output.tag = tag;
      this.#held.set(tag.index, output);
    }
    for (const watch of [...this.#watches]) {
      const by = image.table.get(watch.by.name);
      if (by && !isNew(by)) watch.by = by;
      else watch.settle(false);
    }
  }

  /** Outputs held by rules now, the strongest demand each. */
  get held(): ReadonlyMap<number, HeldOutput> {
    return this.#held;
  }

  /** Stage 5 of the tick: what rules demand, against what stands; what must be sent is on its way after. */
  demand(intents: readonly WriteIntent[], now: MonoMs): void {
    if (intents !== this.#intents) {
      this.#intents = intents;
      this.#arbitrate(intents);
    }
    for (const output of this.#held.values()) {
      this.#serve(output, now);
      this.#report(output, now);
    }
  }

  /** Orders from before: what they had written once and for good. By tag, the rule. */
  resume(sent: Iterable<readonly [tag: string, rule: string]>): void {
    for (const [tag, rule] of sent) this.#sent.set(tag, rule);
  }
  /** Tags of orders that are not held: nobody else writes them. By tag, the rule. */
  reserve(tags: ReadonlyMap<string, string>): void {
    this.#reserved = tags;
  }
  /** Has it had what this rule has written there once? */
  wasSent(tag: string, rule: string): boolean {
    return this.#sent.get(tag) === rule;
  }

  #report({ tag }: HeldOutput, now: MonoMs): void {
    this.#say(tag.index, this.#held.get(tag.index)?.disobedience(now));
  }

  #say(tag: number, reason: string | undefined): void {
    if (this.#reported.get(tag) === reason) return;
    if (reason === undefined) this.#reported.delete(tag);
    else this.#reported.set(tag, reason);
    this.#o.onObeyed(tag, reason);
  }

  /** Looks whether values read back settle what is being verified. */
  verify(now: MonoMs): void {
    for (const watch of [...this.#watches]) {
      const { index } = watch.by;
      const fresh = (this.#image.times[index] ?? 0) >= watch.after;
      if (fresh && isGood(this.#image.qualities[index] ?? 0xff)) {
        if (isSame(this.#image, watch.by, watch.value, this.#image.value(index))) {
          watch.settle(true);
          continue;
        }
      }
      if (now >= watch.deadline) watch.settle(false);
      else this.#o.readBack(watch.by);
    }
  }

  /** When `verify` must run at the latest. */
  nextDue(): MonoMs | undefined {
    let due: number | undefined;
    for (const { deadline } of this.#watches) due = Math.min(due ?? Infinity, deadline);
    for (const output of this.#held.values()) {
      const next = Math.min(
        output.retryAt,
        this.#reported.has(output.tag.index) ? Infinity : output.knownAt,
      );
      if (next < Infinity) due = Math.min(due ?? Infinity, next);
    }
    return due === undefined ? undefined : mono(due);
  }

  /**
   * A command of a person: checked, audited durably, sent, verified. Settles when the device has shown
   * that it did it; rejects with a GatewayError of kind denied, device or timeout.
   */
  async command(
    command: WriteCommand,
  ): Promise<{ before: Value; after: Value; verified: boolean }> {
    const tag = this.#image.table.get(command.tag);
    const before = tag ? this.#image.value(tag.index) : null;
    const audit = {
      who: command.who,
      source: command.source,
      action: 'write',
      object: command.tag,
    };
    try {
      this.#check(command, tag);
      await this.#audited({ ...audit, before, after: command.value, result: 'requested' });
      // The world may have changed while the record was written: a trip wins, another command may have
      // been let through, a reload may have moved or closed the tag.
      const { target, raw, permit } = this.#check(command, this.#image.table.get(command.tag));
      this.#lastWrites.set(target.name, this.#o.clock.mono());
      const verified = await this.#write(target, command.value, raw, permit);
      await this.#audited({ ...audit, before, after: command.value, result: 'done' });
      return { before, after: command.value, verified };
    } catch (thrown) {
      if (thrown instanceof GatewayError && thrown.code === 'audit-failed') throw thrown;
      this.stats.denied++;
      const result = thrown instanceof GatewayError ? thrown.code : 'internal';
      await this.#audited({ ...audit, before, after: command.value, result });
      throw thrown;
    }
  }

  #check(
    command: WriteCommand,
    tag: TagInfo | undefined,
  ): { target: TagInfo; raw: Value; permit: WritePermit } {
    if (!tag) throw new GatewayError('unknown-name', `no tag ${command.tag}`);
    const permit = this.#permits.get(tag.name);
    if (!permit)
      throw new GatewayError('not-writable', `${tag.name} is read-only`, { tag: tag.name });
    if (!permit.allow.has(command.source)) {
      throw new GatewayError(
        'not-permitted',
        `${tag.name} may not be written by ${command.source}`,
      );
    }
    const raw = toRaw(this.#image, tag, command.value);
    if (raw === undefined) {
      throw new GatewayError(
        'bad-request',
        `${String(command.value)} is no ${tag.type} for ${tag.name}`,
      );
    }
    this.#refuseOutOfRange(tag, permit, command.value);
    this.#refuseTooFast(tag, permit, command.value);
    this.#refuseUnexpected(tag, permit, command);
    this.#refuseIfHeld(tag, command.value);
    return { target: tag, raw, permit };
  }

  #refuseOutOfRange(tag: TagInfo, permit: WritePermit, value: Value): void {
    if (!permit.range || typeof value === 'boolean' || value === null || typeof value === 'string')
      return;
    const [low, high] = permit.range;
    if (value < low || value > high) {
      throw new GatewayError(
        'out-of-range',
        `${tag.name} takes ${String(low)} to ${String(high)}${tag.unit ? ` ${tag.unit}` : ''}`,
      );
    }
  }

  #refuseTooFast(tag: TagInfo, permit: WritePermit, value: Value): void {
    if (permit.ratePerSecond === undefined) return;
    if (typeof value !== 'number' && typeof value !== 'bigint') return;
    const current = this.#image.value(tag.index);
    const quality = this.#image.qualities[tag.index] ?? Quality.internal;
    if (!isGood(quality) || (typeof current !== 'number' && typeof current !== 'bigint'))
      throw new GatewayError(
        'rate-limited',
        `how far ${tag.name} would move is not known: it is ${qualityText(quality)}`,
      );
    const last = this.#lastWrites.get(tag.name);
    const seconds = last === undefined ? 1 : Math.max(0, (this.#o.clock.mono() - last) / 1_000);
    if (distance(value, current) > permit.ratePerSecond * Math.min(seconds, 1)) {
      throw new GatewayError(
        'rate-limited',
        `${tag.name} may change by ${String(permit.ratePerSecond)} a second`,
      );
    }
  }

  #refuseUnexpected(tag: TagInfo, permit: WritePermit, command: WriteCommand): void {
    if (command.expect === undefined) {
      if (permit.expect)
        throw new GatewayError('bad-request', `${tag.name} wants the expected present value`);
      return;
    }
    const current = this.#image.value(tag.index);
    if (!isSame(this.#image, tag, command.expect, current)) {
      throw new GatewayError('not-as-expected', `${tag.name} is ${String(current)}`);
    }
  }

  #refuseIfHeld(tag: TagInfo, value: Value): void {
    const order = this.#reserved.get(tag.name);
    if (order !== undefined)
      throw new GatewayError('held-by-rule', `${tag.name} is reserved by the order of ${order}`, {
        rule: order,
      });
    const held = this.#held.get(tag.index);
    if (held && !isSame(this.#image, tag, held.intent.value, value)) {
      throw new GatewayError('held-by-rule', `${tag.name} is held by ${held.intent.source}`, {
        rule: held.intent.source,
        level: held.intent.level,
      });
    }
  }

  /** @returns was it read back? */
  async #write(tag: TagInfo, value: Value, raw: Value, permit: WritePermit): Promise<boolean> {
    const outcome = await this.#o.send(tag, raw, false);
    if (!outcome.ok) throw new GatewayError('device-refused', `${tag.name}: ${outcome.code}`);
    this.stats.written++;
    if (!permit.verify) return false;
    if (!(await this.#watch(tag, value, permit.verify))) {
      this.stats.notVerified++;
      throw new GatewayError('not-verified', this.#unverified(tag, value, permit.verify.by));
    }
    return true;
  }

  #unverified(tag: TagInfo, value: Value, by: string): string {
    const quality = this.#image.qualities[this.#image.table.get(by)?.index ?? tag.index] ?? 0xff;
    const text = `${tag.name} does not read back as ${String(value)}`;
    if (isGood(quality)) return text;
    return `${text}: ${by} is ${qualityText(quality)}; if it can only be written, say verify: none`;
  }

  #watch(
    target: TagInfo,
    value: Value,
    verify: NonNullable<WritePermit['verify']>,
  ): Promise<boolean> {
    const by = this.#image.table.get(verify.by) ?? target;
    const now = this.#o.clock.mono();
    return new Promise((resolve) => {
      const watch: Watch = {
        by,
        value,
        after: now,
        deadline: mono(now + verify.within),
        settle: (verified) => {
          this.#watches.delete(watch);
          resolve(verified);
        },
      };
      this.#watches.add(watch);
      this.#o.readBack(by);
    });
  }

  /** One demand a tag: the strongest level; at the same level the compiler has refused conflicts. */
  #arbitrate(intents: readonly WriteIntent[]): void {
    const strongest = new Map<number, WriteIntent>();
    for (const intent of intents) {
      const other = strongest.get(intent.tag);
      if (!other || rank(intent) < rank(other)) strongest.set(intent.tag, intent);
    }
    const before = new Map<number, HeldOutput>();
    for (const [index, output] of this.#held) {
      const wanted = strongest.get(index);
      // Of a value that changes all the time only a change between well and not is news.
      if (wanted?.quiet) before.set(index, output);
      if (wanted && wanted.value === output.intent.value) {
        if (wanted.attempt !== output.intent.attempt) output.again();
        output.intent = wanted;
        strongest.delete(index);
      } else {
        this.#held.delete(index);
        this.#sent.delete(output.tag.name);
        if (!wanted?.quiet) this.#say(index, undefined);
      }
    }
    for (const [index, intent] of strongest) {
      const tag = this.#image.table.tags[index];
      invariant(tag !== undefined, 'a rule demands a tag that does not exist');
      const output = new HeldOutput(tag, intent, before.get(index));
      if (intent.sent === true || this.wasSent(tag.name, intent.source)) output.wasSent();
      this.#held.set(index, output);
    }
  }

  #serve(output: HeldOutput, now: MonoMs): void {
    const { index, name } = output.tag;
    const permit = this.#permits.get(name);
    const isRead = permit?.verify !== undefined && output.intent.once !== true;
    const seen =
      isRead &&
      (this.#image.times[index] ?? 0) >= output.doneAt &&
      isGood(this.#image.qualities[index] ?? 0xff);
    const same = isSame(this.#image, output.tag, output.intent.value, this.#image.value(index));
    if (!output.wants(now, seen && !same)) return;
    output.sending();
    if (!permit?.allow.has('rules')) this.#failed(output, 'not-permitted');
    else {
      const raw = toRaw(this.#image, output.tag, output.intent.value);
      if (raw === undefined) this.#failed(output, 'does-not-fit');
      else void this.#hold(output, raw, permit);
    }
  }

  /** It was never sent: nothing that the device could have done. */
  #failed(output: HeldOutput, result: 'not-permitted' | 'does-not-fit'): void {
    this.#settle(output, { outcome: 'refused', result, wait: limits.heldRetryMs });
  }

  #settle(
    output: HeldOutput,
    { outcome, result, wait }: Pick<Settled, 'outcome' | 'result' | 'wait'>,
  ): void {
    const { intent, tag } = output;
    const now = this.#o.clock.mono();
    const isNews = output.ended(outcome, now, wait, result);
    this.#report(output, now);
    if (!isNews) return;
    const { value, source: rule } = intent;
    this.#o.onHeld({ tag: tag.name, value, rule, result });
    const audit = { who: rule, source: 'rules', action: 'write', object: tag.name };
    this.#audited({ ...audit, after: value, result }).catch((error: unknown) =>
      this.#o.log.error('a trip could not be audited', { tag: tag.name, why: String(error) }),
    );
  }

  /** Sends what a rule demands and sees to it that it is done; failures are retried for as long as it holds. */
  async #hold(output: HeldOutput, raw: Value, permit: WritePermit): Promise<void> {
    const { intent } = output;
    // By its position of now: a reload may move it while the device answers.
    const isHeld = (): boolean => this.#held.get(output.tag.index) === output;
    let result = 'done';
    let isReached = true;
    try {
      const outcome = await this.#o.send(output.tag, raw, true);
      output.doneAt = this.#o.clock.mono();
      if (!outcome.ok) result = outcome.code;
      else if (!permit.verify || intent.once === true) this.#wasSent(output);
      else if (isHeld() && !(await this.#watch(output.tag, intent.value, permit.verify)))
        result = 'not-verified';
    } catch (thrown) {
      const error = asGatewayError(thrown);
      result = error.code;
      isReached =
        error.kind !== 'timeout' && error.kind !== 'link' && error.code !== 'not-connected';
      output.doneAt = this.#o.clock.mono();
    }
    if (!isHeld()) return;
    const outcome = result === 'done' ? 'well' : isReached ? 'refused' : 'unreached';
    this.#settle(output, { outcome, result, wait: permit.verify?.within ?? usualWaitMs });
  }

  /** Nobody reads it back: that the device has acknowledged it is all that will ever be known. */
  #wasSent({ tag, intent }: HeldOutput): void {
    // A value that changes all the time is sent again anyhow.
    if (intent.quiet) return;
    this.#sent.set(tag.name, intent.source);
    this.#o.onSent(tag, intent.source);
  }

  async #audited(event: AuditEvent): Promise<void> {
    try {
      await this.#o.audit.record(event);
    } catch (cause) {
      throw new GatewayError('audit-failed', 'the audit record cannot be stored', {}, cause);
    }
  }
}

/** Before the next try at an output that is not read back, ms. */
const usualWaitMs = 3_000;

interface Settled {
  readonly outcome: 'well' | 'refused' | 'unreached';
  readonly result: string;
  readonly wait: number;
}

/** Strongest first: by level; at one level an order that no rule stands behind before a rule. */
function rank({ level, order }: WriteIntent): number {
  return 2 * intentLevels.indexOf(level) + (order === true ? 0 : 1);
}

/** How far apart two numbers are; exact where one is a 64-bit integer. */
function distance(a: number | bigint, b: number | bigint): number {
  if (typeof a === 'number' && typeof b === 'number') return Math.abs(a - b);
  const isWhole = Number.isInteger(Number(a)) && Number.isInteger(Number(b));
  return Math.abs(isWhole ? Number(BigInt(a) - BigInt(b)) : Number(a) - Number(b));
}
