import {
  asGatewayError,
  GatewayError,
  jsonValue,
  type AlarmSnapshot,
  type Clock,
  type CommandResult,
  type Inspection,
  type Order,
  type RuleCommand,
  type Value,
} from '../contract/index.js';
import type { TagInfo } from '../tags/table.js';
import type { AuditTrail } from '../write/audit.js';
import { parseTyped, typedForm } from '../write/convert.js';
import type { Asker } from './asker.js';
import { briefly, numberOr, requiredText, type Args } from './arguments.js';
import type { DeviceAlarm } from './device-alarms.js';
import type { FieldFacts } from './facts.js';
import type { Field } from './field.js';
import { deviceReports, linkReport } from './link-reports.js';
import type { OwnAlarms } from './own-alarms.js';
import type { LinkReport } from './reports.js';
import {
  auditText,
  isRuleCommand,
  personOf,
  type Roles,
  ruleCommandOf,
  settle,
  subjectOf,
} from './rule-commands.js';
import { tagView, type TagView } from './tag-view.js';
import type { WallClock } from './wall-clock.js';

/** What `status` has to say of the field half. */
export interface FieldStatus {
  readonly facts: FieldFacts;
  readonly links: readonly (Omit<LinkReport, 'devices'> & { readonly devices: unknown })[];
  readonly alarms: number;
  readonly rules: Readonly<Record<string, string>>;
  readonly remarks: Readonly<Record<string, readonly string[]>>;
  readonly orders: readonly unknown[];
}

export interface DeskOptions {
  readonly clock: Clock;
  readonly wall: WallClock;
  readonly field: Field;
  readonly own: OwnAlarms;
  readonly audit: AuditTrail;
  readonly roles: () => Roles;
  readonly facts: () => FieldFacts;
}

/** Where the field half answers what people ask of it. Every refusal is a GatewayError with its reason. */
export class Desk {
  readonly #o: DeskOptions;

  constructor(options: DeskOptions) {
    this.#o = options;
  }

  /** Settles with the answer, plain data; a missing argument is a rejection, too. */
  async handle(op: string, args: Args, asker: Asker): Promise<unknown> {
    if (op === 'reset' && args['memoryLost'] === true) return await this.#resetLost(asker);
    if (isRuleCommand(op))
      return await this.#ruleCommand(subjectOf(args), ruleCommandOf(op, args), asker);
    switch (op) {
      case 'status':
        return this.#status();
      case 'read':
        return this.#view(this.#tag(requiredText(args, 'tag')));
      case 'inspect':
        return await this.#inspect(this.#tag(requiredText(args, 'tag')));
      case 'write':
        return await this.#write(args, asker);
      case 'alarms':
        return this.#alarms();
      case 'rules':
        return Object.fromEntries(this.#o.field.engine.states());
      case 'trace':
        return this.#trace(requiredText(args, 'link'), numberOr(args, 'after', 0));
      case 'why':
        return this.#why(requiredText(args, 'rule'));
      default:
        throw new GatewayError('bad-request', `no such operation: ${briefly(op)}`);
    }
  }

  #status(): FieldStatus {
    const { field, wall } = this.#o;
    return {
      facts: this.#o.facts(),
      links: [...field.links.values()].map((link) => ({
        ...linkReport(link, wall),
        devices: deviceReports(link, wall),
      })),
      alarms: this.#alarms().length,
      rules: Object.fromEntries(field.engine.states()),
      remarks: Object.fromEntries(field.engine.remarks()),
      orders: field.orders.map(orderView),
    };
  }

  /** All rules that are tripped because their memory was lost, those whose cause stands excepted. */
  async #resetLost(asker: Asker): Promise<unknown> {
    const { field } = this.#o;
    const roles = this.#o.roles();
    const person = personOf(roles, asker);
    if (roles.has('engineer') && !person.roles.includes('engineer'))
      throw new GatewayError(
        'not-permitted',
        'a reset of all lost memories needs the role engineer',
      );
    const refused = new Map<string, string>();
    const reset: string[] = [];
    for (const rule of field.engine.lost())
      await this.#ruleCommand(rule, { kind: 'reset' }, asker).then(
        () => reset.push(rule),
        (thrown: unknown) => {
          refused.set(rule, asGatewayError(thrown).message);
        },
      );
    return { reset, refused: Object.fromEntries(refused) };
  }

  #tag(name: string): TagInfo {
    const tag = this.#o.field.plan.table.get(name);
    if (!tag) throw new GatewayError('unknown-name', `no tag ${name}`);
    return tag;
  }

  #view(tag: TagInfo): TagView {
    const { image } = this.#o.field;
    const { wall, clock } = this.#o;
    const quality = image.qualities[tag.index] ?? 0xff;
    const time = image.times[tag.index] ?? 0;
    const { name, unit, writable, enumeration } = tag;
    return tagView(
      { name, unit, writable, textOf: (value) => enumeration?.get(value) },
      {
        value: image.rawValue(tag.index),
        quality,
        time: time === 0 ? 0 : wall.of(time),
        ageMs: time === 0 ? 0 : Math.max(0, clock.mono() - time),
        why: this.#o.field.refusalOf(tag),
      },
    );
  }

  /** What the device itself says of a tag. */
  async #inspect(tag: TagInfo): Promise<Inspection> {
    const said = await this.#o.field.inspect(tag);
    if (said) return said;
    throw new GatewayError('bad-request', `no device says more of ${tag.name} than \`read\` shows`);
  }

  async #write(args: Args, { who }: Asker): Promise<unknown> {
    const tag = this.#tag(requiredText(args, 'tag'));
    const value = typed(tag, args['value'], 'value');
    const expect = args['expect'] === undefined ? undefined : typed(tag, args['expect'], 'expect');
    const done = await this.#o.field.gate.command({
      tag: tag.name,
      value,
      source: 'operator',
      who,
      ...(expect === undefined ? {} : { expect }),
    });
    return {
      tag: tag.name,
      before: jsonValue(done.before),
      after: jsonValue(done.after),
      verified: done.verified,
    };
  }

  #trace(name: string, after: number): unknown {
    const { field, wall } = this.#o;
    const link = field.links.get(name);
    if (!link) throw new GatewayError('unknown-name', `no link ${name}`);
    const { driver, config } = link.config;
    const { pieces, lost } = link.tap.fetch(after);
    return {
      lost,
      pieces: pieces.map(({ n, at, sent, bytes }) => ({
        n,
        time: wall.of(at),
        sent,
        hex: Buffer.from(bytes).toString('hex'),
        text: inWords(() => driver.describe?.(config, bytes, sent)),
      })),
    };
  }

  #alarms(): readonly AlarmSnapshot[] {
    const { engine, deviceAlarms } = this.#o.field;
    return [...engine.alarms(), ...deviceAlarms.all(), ...this.#o.own.all()];
  }

  #why(rule: string): unknown {
    const explanation = this.#o.field.engine.why(rule);
    if (!explanation) throw new GatewayError('unknown-name', `no rule ${rule}`);
    return explanation;
  }

  async #ruleCommand(id: string, command: RuleCommand, asker: Asker): Promise<unknown> {
    const { kind } = command;
    const after = auditText(command);
    const audit = {
      who: asker.who,
      source: 'cli',
      action: kind,
      object: id,
      ...(after === '' ? {} : { after }),
    };
    await this.#o.audit.record({ ...audit, result: 'requested' });
    const result = await this.#tell(id, command, asker);
    await this.#o.audit.record({ ...audit, result: result.ok ? 'done' : 'refused' });
    settle(command, result);
    return { [kind]: id };
  }

  async #tell(id: string, command: RuleCommand, asker: Asker): Promise<CommandResult> {
    const { field, own } = this.#o;
    if (command.kind === 'ack' && own.get(id))
      return own.acknowledge(id, personOf(this.#o.roles(), asker));
    const alarm = command.kind === 'ack' ? field.deviceAlarms.find(id) : undefined;
    if (alarm) return await this.#ackAtDevice(id, alarm, asker.who);
    return field.command(id, command, personOf(this.#o.roles(), asker));
  }

  /** Asks the device to acknowledge its alarm; that it did comes back as an event of the device. */
  async #ackAtDevice(
    id: string,
    { snapshot, key, event }: DeviceAlarm,
    who: string,
  ): Promise<CommandResult> {
    const { device: name = '' } = snapshot;
    const links = [...this.#o.field.links.values()];
    const link = links.find(({ devices }) => devices.some((device) => device.name === name));
    const terms = link?.config.devices.find((device) => device.name === name)?.events;
    if (!link || !terms?.acknowledge)
      return { ok: false, reason: `alarms of ${name} may not be acknowledged from here` };
    try {
      const outcome = await link.acknowledge(name, key, event, `${who}, by Millrace`);
      return outcome.ok ? { ok: true } : { ok: false, reason: `${id}: ${outcome.code}` };
    } catch (thrown) {
      return { ok: false, reason: asGatewayError(thrown).message };
    }
  }
}

/** An order as people see it: not where the output lies in the plant. */
function orderView({ outputs, evidence, ...order }: Order): unknown {
  const seen = outputs.map(({ tag, value, level }) => ({ tag, value, level }));
  return { ...order, outputs: seen, causes: evidence.length };
}

/** A frame as its driver sees it; the bytes are shown in any case. */
function inWords(describe: () => string | undefined): string {
  try {
    return describe() ?? '';
  } catch (thrown) {
    return asGatewayError(thrown).message;
  }
}

function typed(tag: TagInfo, given: unknown, key: string): Value {
  const plain =
    typeof given === 'string' || typeof given === 'number' || typeof given === 'boolean';
  const value = plain ? parseTyped(tag, given) : undefined;
  if (value === undefined) {
    throw new GatewayError(
      'bad-request',
      `${key}: ${briefly(given)} is no ${tag.type} for ${tag.name}`,
      { hint: tag.type === 'string' ? 'Give a text.' : `Give ${typedForm(tag)}.` },
    );
  }
  return value;
}
