import { numberOr, optionalText, requiredText, type Args } from './arguments.js';
import type { Asker } from './asker.js';
import type { FieldStatus } from './desk.js';
import type { NorthHalf } from './north-half.js';
import { tripsOf, whyThen } from './past-why.js';

/** A request on the control socket: one JSON object a line. */
export interface ControlRequest extends Asker {
  readonly op: string;
  readonly args: Args;
}

/** What the command line asks of a running gateway. Every refusal is a GatewayError with its reason. */
export class Control {
  readonly #half: NorthHalf;

  constructor(half: NorthHalf) {
    this.#half = half;
  }

  /** Settles with the answer; every refusal is a rejection, a missing argument too. */
  async handle({ op, args, ...asker }: ControlRequest): Promise<unknown> {
    const half = this.#half;
    const { clock, trips } = half.options;
    switch (op) {
      case 'status':
        return await this.#status(args, asker);
      case 'alarm-figures':
        return half.alarms.figures(clock.mono());
      case 'tags':
        return await half.tags.list(optionalText(args, 'pattern') ?? '*');
      case 'history':
        return await half.north.past(numberOr(args, 'from', 0));
      case 'trips':
        return await tripsOf(trips, requiredText(args, 'rule'));
      case 'why':
        return args['at'] === undefined
          ? await half.askField(op, args, asker)
          : await whyThen(trips, requiredText(args, 'rule'), numberOr(args, 'at', 0));
      case 'reload':
        return await half.reload(asker, args['keepTrips'] === true);
      default:
        return await half.askField(op, args, asker);
    }
  }

  async #status(args: Args, asker: Asker): Promise<unknown> {
    const half = this.#half;
    const { north, wall, plan, options, health, memory } = half;
    const { facts, ...field } = (await half.askField('status', args, asker)) as FieldStatus;
    const { gateway, revision } = plan.config;
    const { links, alarms, rules, remarks, orders } = field;
    return {
      gateway: gateway.id,
      version: options.version,
      config: revision,
      epoch: north.journal.epoch,
      time: wall.now(),
      health: health.now(facts),
      links,
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
      alarms,
      rules,
      remarks,
      orders,
      memory: memory.verdict.kind,
    };
  }
}
