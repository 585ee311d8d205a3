import type { WritePermit, WriteSource } from '../config/model.js';
import type { Clock, Log, MonoMs, Value, WriteIntent, DeviceOutcome } from '../contract/index.js';
import {
  GatewayError,
  asGatewayError,
  intentLevels,
  invariant,
  isGood,
  mono,
} from '../contract/index.js';
import type { TagImage } from '../tags/image.js';
import type { TagInfo } from '../tags/table.js';
import type { Audit } from './audit.js';
import { isSame, toRaw } from './convert.js';
import { HeldOutput, type HeldReport } from './held.js';

export interface GateOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: Audit;
  /** Puts a raw value on the wire of the tag's link, before any poll; rejects when it cannot. */
  send(tag: TagInfo, raw: Value, urgent: boolean): Promise<DeviceOutcome>;
  /** Reads the tag soon, to verify. */
  readBack(tag: TagInfo): void;
  /** An output that a rule holds was written, verified, or could not be. */
  onHeld(report: HeldReport): void;
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
  settle(verified: boolean): void;
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
    for (const output of this.#held.values()) this.#serve(output, now);
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
      if (output.retryAt < Infinity) due = Math.min(due ?? Infinity, output.retryAt);
    }
    return due === undefined ? undefined : mono(due);
  }

  /**
   * A command of a person: checked, audited durably, sent, verified. Settles when the device has shown
   * that it did it; rejects with a GatewayError of kind denied, device or timeout.
   */
  async command(command: WriteCommand): Promise<{ before: Value; after: Value }> {
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
      await this.#write(target, command.value, raw, permit);
      await this.#audited({ ...audit, before, after: command.value, result: 'done' });
      return { before, after: command.value };
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
    const current = this.#image.value(tag.index);
    if (
      permit.ratePerSecond === undefined ||
      typeof value !== 'number' ||
      typeof current !== 'number'
    )
      return;
    const last = this.#lastWrites.get(tag.name);
    const seconds = last === undefined ? 1 : Math.max(0, (this.#o.clock.mono() - last) / 1_000);
    if (Math.abs(value - current) > permit.ratePerSecond * Math.min(seconds, 1)) {
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
    const held = this.#held.get(tag.index);
    if (held && !isSame(this.#image, tag, held.intent.value, value)) {
      throw new GatewayError('held-by-rule', `${tag.name} is held by ${held.intent.source}`, {
        rule: held.intent.source,
        level: held.intent.level,
      });
    }
  }

  async #write(tag: TagInfo, value: Value, raw: Value, permit: WritePermit): Promise<void> {
    const outcome = await this.#o.send(tag, raw, false);
    if (!outcome.ok) throw new GatewayError('device-refused', `${tag.name}: ${outcome.code}`);
    this.stats.written++;
    if (!(await this.#watch(tag, value, permit))) {
      this.stats.notVerified++;
      throw new GatewayError('not-verified', `${tag.name} does not read back as ${String(value)}`);
    }
  }

  #watch(target: TagInfo, value: Value, permit: WritePermit | undefined): Promise<boolean> {
    const by = (permit && this.#image.table.get(permit.verify.by)) ?? target;
    const now = this.#o.clock.mono();
    return new Promise((resolve) => {
      const watch: Watch = {
        by,
        value,
        after: now,
        deadline: mono(now + (permit?.verify.within ?? 3_000)),
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
    const told = new Map<number, boolean>();
    for (const [index, output] of this.#held) {
      const wanted = strongest.get(index);
      // Of a value that changes all the time only a change between well and not is news.
      if (wanted?.quiet && output.told !== undefined) told.set(index, output.told);
      if (wanted && wanted.value === output.intent.value) {
        if (wanted.attempt !== output.intent.attempt) output.again();
        output.intent = wanted;
        strongest.delete(index);
      } else this.#held.delete(index);
    }
    for (const [index, intent] of strongest) {
      const tag = this.#image.table.tags[index];
      invariant(tag !== undefined, 'a rule demands a tag that does not exist');
      this.#held.set(index, new HeldOutput(tag, intent, told.get(index) ?? intent.quiet));
    }
  }

  #serve(output: HeldOutput, now: MonoMs): void {
    const { index } = output.tag;
    const seen =
      (this.#image.times[index] ?? 0) >= output.doneAt &&
      isGood(this.#image.qualities[index] ?? 0xff);
    const same = isSame(this.#image, output.tag, output.intent.value, this.#image.value(index));
    if (!output.wants(now, seen && !same)) return;
    const permit = this.#permits.get(output.tag.name);
    const raw = toRaw(this.#image, output.tag, output.intent.value);
    if (!permit?.allow.has('rules') || raw === undefined) return;
    output.sending();
    void this.#hold(output, raw, permit);
  }

  /** Sends what a rule demands and sees to it that it is done; failures are retried for as long as it holds. */
  async #hold(output: HeldOutput, raw: Value, permit: WritePermit): Promise<void> {
    const { intent } = output;
    const { name } = output.tag;
    // By its position of now: a reload may move it while the device answers.
    const isHeld = (): boolean => this.#held.get(output.tag.index) === output;
    let result = 'done';
    let isReached = true;
    try {
      const outcome = await this.#o.send(output.tag, raw, true);
      output.doneAt = this.#o.clock.mono();
      if (!outcome.ok) result = outcome.code;
      else if (isHeld() && !(await this.#watch(output.tag, intent.value, permit)))
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
    if (output.ended(outcome, this.#o.clock.mono(), permit.verify.within)) {
      this.#o.onHeld({ tag: name, value: intent.value, rule: intent.source, result });
      const audit = { who: intent.source, source: 'rules', action: 'write', object: name };
      this.#audited({ ...audit, after: intent.value, result }).catch((error: unknown) =>
        this.#o.log.error('a trip could not be audited', { tag: name, why: String(error) }),
      );
    }
  }

  async #audited(event: Parameters<Audit['record']>[0]): Promise<void> {
    try {
      await this.#o.audit.record(event);
    } catch (cause) {
      throw new GatewayError('audit-failed', 'the audit record cannot be stored', {}, cause);
    }
  }
}

function rank(intent: WriteIntent): number {
  return intentLevels.indexOf(intent.level);
}
