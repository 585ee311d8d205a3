import {
  globMatcher,
  type AlarmSnapshot,
  type CommandResult,
  type Order,
  type RuleCommand,
  type Value,
} from '../contract/index.js';
import {
  asGatewayError,
  GatewayError,
  isBad,
  jsonValue,
  qualityLevel,
  qualityReason,
  type Inspection,
} from '../contract/index.js';
import type { TagInfo } from '../tags/table.js';
import { parseTyped, typedForm } from '../write/convert.js';
import { briefly, numberOr, optionalText, requiredText, type Args } from './arguments.js';
import type { DeviceAlarm } from './device-alarms.js';
import { deviceReports, linkReport } from './link-reports.js';
import {
  auditText,
  isRuleCommand,
  personOf,
  ruleCommandOf,
  settle,
  subjectOf,
} from './rule-commands.js';
import { tripsOf, whyThen } from './past-why.js';
import type { Runtime } from './runtime.js';

/** A request on the control socket: one JSON object a line. */
export interface ControlRequest {
  readonly op: string;
  readonly args: Args;
  /** Who asks, as the operating system knows them. */
  readonly who: string;
}

/** One tag as the command line shows it. */
export interface TagView {
  readonly name: string;
  readonly value: string | number | boolean | null;
  readonly text: string | undefined;
  readonly unit: string | undefined;
  readonly quality: string;
  readonly reason: string;
  /** Why its device does not serve it, in its own words. */
  readonly why: string | undefined;
  /** Wall ms of the value. */
  readonly time: number;
  readonly ageMs: number;
  readonly writable: boolean;
}

/** What the command line asks of a running gateway. Every refusal is a GatewayError with its reason. */
export class Control {
  readonly #runtime: Runtime;
  readonly #reload: (who: string, keepTrips: boolean) => Promise<unknown>;

  constructor(runtime: Runtime, reload: (who: string, keepTrips: boolean) => Promise<unknown>) {
    this.#runtime = runtime;
    this.#reload = reload;
  }

  /** Settles with the answer; every refusal is a rejection, a missing argument too. */
  async handle(request: ControlRequest): Promise<unknown> {
    return await this.#dispatch(request);
  }

  #dispatch(request: ControlRequest): Promise<unknown> {
    const { op, args, who } = request;
    if (op === 'reset' && args['memoryLost'] === true) return this.#resetLost(who);
    if (isRuleCommand(op)) return this.#ruleCommand(subjectOf(args), ruleCommandOf(op, args), who);
    switch (op) {
      case 'status':
        return Promise.resolve(this.#status());
      case 'tags':
        return Promise.resolve(this.#tags(optionalText(args, 'pattern') ?? '*'));
      case 'read':
        return Promise.resolve(this.#view(this.#tag(requiredText(args, 'tag'))));
      case 'inspect':
        return this.#inspect(this.#tag(requiredText(args, 'tag')));
      case 'write':
        return this.#write(args, who);
      case 'alarms':
        return Promise.resolve(this.#alarms());
      case 'alarm-figures':
        return Promise.resolve(this.#runtime.alarms.figures(this.#runtime.options.clock.mono()));
      case 'rules':
        return Promise.resolve(Object.fromEntries(this.#runtime.field.engine.states()));
      case 'trace':
        return Promise.resolve(this.#trace(requiredText(args, 'link'), numberOr(args, 'after', 0)));
      case 'history':
        return this.#runtime.north.past(numberOr(args, 'from', 0));
      case 'why':
        return args['at'] === undefined
          ? Promise.resolve(this.#why(requiredText(args, 'rule')))
          : whyThen(
              this.#runtime.options.trips,
              requiredText(args, 'rule'),
              numberOr(args, 'at', 0),
            );
      case 'trips':
        return tripsOf(this.#runtime.options.trips, requiredText(args, 'rule'));
      case 'reload':
        return this.#reload(who, args['keepTrips'] === true);
      default:
        return Promise.reject(new GatewayError('bad-request', `no such operation: ${briefly(op)}`));
    }
  }

  #status(): unknown {
    const { field, north, wall, config, options, health } = this.#runtime;
    return {
      gateway: config.gateway.id,
      version: options.version,
      config: config.revision,
      epoch: north.journal.epoch,
      time: wall.now(),
      health: health.now(),
      links: [...field.links.values()].map((link) => ({
        ...linkReport(link, wall),
        devices: deviceReports(link, wall),
      })),
      sinks: north.forwarders.map(({ config: sink, connected, stats, lastError }) => ({
        sink: sink.name,
        connected,
        error: lastError?.message,
        pending: north.journal
          .reader(sink.name)
          .pending.toJSON()
          .reduce((n, [a, b]) => n + b - a + 1, 0),
        stats,
      })),
      alarms: this.#alarms().length,
      rules: Object.fromEntries(field.engine.states()),
      remarks: Object.fromEntries(field.engine.remarks()),
      orders: field.orders.map(orderView),
      memory: this.#runtime.memory.verdict.kind,
    };
  }

  /** All rules that are tripped because their memory was lost, those whose cause stands excepted. */
  async #resetLost(who: string): Promise<unknown> {
    const { field, config } = this.#runtime;
    const person = personOf(this.#runtime, who);
    if (config.roles.has('engineer') && !person.roles.includes('engineer'))
      throw new GatewayError(
        'not-permitted',
        'a reset of all lost memories needs the role engineer',
      );
    const refused = new Map<string, string>();
    const reset: string[] = [];
    for (const rule of field.engine.lost())
      await this.#ruleCommand(rule, { kind: 'reset' }, who).then(
        () => reset.push(rule),
        (thrown: unknown) => {
          refused.set(rule, asGatewayError(thrown).message);
        },
      );
    return { reset, refused: Object.fromEntries(refused) };
  }

  #tags(pattern: string): readonly TagView[] {
    const matches = globMatcher(pattern);
    return this.#runtime.field.plan.table.tags
      .filter((tag) => matches(tag.name))
      .map((tag) => this.#view(tag));
  }

  #tag(name: string): TagInfo {
    const tag = this.#runtime.field.plan.table.get(name);
    if (!tag) throw new GatewayError('unknown-name', `no tag ${name}`);
    return tag;
  }

  #view(tag: TagInfo): TagView {
    const { image } = this.#runtime.field;
    const { wall, options } = this.#runtime;
    const quality = image.qualities[tag.index] ?? 0xff;
    const time = image.times[tag.index] ?? 0;
    const value = image.value(tag.index);
    return {
      name: tag.name,
      value: jsonValue(value),
      text: typeof value === 'number' ? tag.enumeration?.get(value) : undefined,
      unit: tag.unit,
      quality: qualityLevel(quality),
      reason: qualityReason(quality),
      why: isBad(quality) ? this.#runtime.field.refusalOf(tag) : undefined,
      time: time === 0 ? 0 : wall.of(time),
      ageMs: time === 0 ? 0 : Math.max(0, options.clock.mono() - time),
      writable: tag.writable,
    };
  }

  /** What the device itself says of a tag. */
  async #inspect(tag: TagInfo): Promise<Inspection> {
    const said = await this.#runtime.field.inspect(tag);
    if (said) return said;
    throw new GatewayError('bad-request', `no device says more of ${tag.name} than \`read\` shows`);
  }

  async #write(args: ControlRequest['args'], who: string): Promise<unknown> {
    const tag = this.#tag(requiredText(args, 'tag'));
    const value = typed(tag, args['value'], 'value');
    const expect = args['expect'] === undefined ? undefined : typed(tag, args['expect'], 'expect');
    const done = await this.#runtime.field.gate.command({
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
    const { field, wall } = this.#runtime;
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
    const { engine, deviceAlarms } = this.#runtime.field;
    return [...engine.alarms(), ...deviceAlarms.all(), ...this.#runtime.own.all()];
  }

  #why(rule: string): unknown {
    const explanation = this.#runtime.field.engine.why(rule);
    if (!explanation) throw new GatewayError('unknown-name', `no rule ${rule}`);
    return explanation;
  }

  async #ruleCommand(id: string, command: RuleCommand, who: string): Promise<unknown> {
    const { kind } = command;
    const after = auditText(command);
    const audit = {
      who,
      source: 'cli',
      action: kind,
      object: id,
      ...(after === '' ? {} : { after }),
    };
    await this.#runtime.audit.record({ ...audit, result: 'requested' });
    const result = await this.#tell(id, command, who);
    await this.#runtime.audit.record({ ...audit, result: result.ok ? 'done' : 'refused' });
    settle(command, result);
    return { [kind]: id };
  }

  async #tell(id: string, command: RuleCommand, who: string): Promise<CommandResult> {
    const { field, own } = this.#runtime;
    if (command.kind === 'ack' && own.get(id))
      return own.acknowledge(id, personOf(this.#runtime, who));
    const alarm = command.kind === 'ack' ? field.deviceAlarms.find(id) : undefined;
    if (alarm) return await this.#ackAtDevice(id, alarm, who);
    return field.command(id, command, personOf(this.#runtime, who));
  }

  /** Asks the device to acknowledge its alarm; that it did comes back as an event of the device. */
  async #ackAtDevice(
    id: string,
    { snapshot, key, event }: DeviceAlarm,
    who: string,
  ): Promise<CommandResult> {
    const { device: name = '' } = snapshot;
    const links = [...this.#runtime.field.links.values()];
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
