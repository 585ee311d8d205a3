import { qualityText } from '../../gateway/contract/index.js';
import type { Daemon } from '../daemon.js';
import { LineWriter, openStandard } from '../line-writer.js';
import { clockTime, table, valueText } from '../output.js';
import type { DemoBroker } from './broker.js';
import type { Scenario } from './scenario.js';

const shown = [
  'P101.running',
  'P101.run_cmd',
  'P101.current',
  'P101.speed',
  'FT101.flow',
  'FT101.total',
  'LT100.level',
  'EM1.power',
  'P101.specific_energy',
];

/** The live view of the demo: a screen that is redrawn, or lines where there is no terminal. */
export class Screen {
  readonly #daemon: Daemon;
  readonly #broker: DemoBroker;
  readonly #scenario: Scenario;
  readonly #plain: boolean;
  /** The gateway of the demo is in this process: it must not wait for whoever looks at it. */
  readonly #out = new LineWriter(
    openStandard(1),
    (lines) => `… ${String(lines)} lines were not shown`,
  );
  #toldStates = '';
  #toldScene = '';
  #toldTrip = 0;
  #linesAt = -Infinity;

  constructor(daemon: Daemon, broker: DemoBroker, scenario: Scenario, plain: boolean) {
    this.#daemon = daemon;
    this.#broker = broker;
    this.#scenario = scenario;
    this.#plain = plain;
    if (plain) this.#print(`${this.#heading()}\n${this.#hints()}\n`);
  }

  draw(seconds: number): void {
    if (this.#plain) this.#lines(seconds);
    else this.#screen(seconds);
  }

  close(): void {
    this.#print(this.#plain ? 'demo ends' : '\ndemo ends; nothing is left behind');
  }

  #print(text: string): void {
    this.#out.write(`${text}\n`);
  }

  #screen(seconds: number): void {
    const parts = [
      this.#heading(),
      '',
      `plant, ${seconds.toFixed(0)} s: ${this.#scenario.text}`,
      '',
      this.#tags(),
      '',
      this.#rules(),
      '',
      this.#why(),
      '',
      this.#north(),
      '',
      this.#hints(),
    ];
    this.#print(`\x1b[H\x1b[2J${parts.join('\n')}`);
  }

  /** A line a second, and what changed. */
  #lines(seconds: number): void {
    if (this.#scenario.text !== this.#toldScene) {
      this.#toldScene = this.#scenario.text;
      this.#print(`plant: ${this.#toldScene}`);
    }
    const { engine } = this.#daemon.half.field;
    const states = [...engine.states()].map(([id, state]) => `${id} ${state}`).join(', ');
    if (states !== this.#toldStates) {
      this.#toldStates = states;
      this.#print(`rules: ${states}`);
      this.#tellTrip();
    }
    if (seconds - this.#linesAt < 2) return;
    this.#linesAt = seconds;
    this.#print(
      `${seconds.toFixed(0).padStart(4)} s  ${shown
        .slice(0, 6)
        .map((name) => this.#short(name))
        .join('  ')}`,
    );
  }

  /** Each trip once, whatever other states change while it stands. */
  #tellTrip(): void {
    const at = this.#daemon.half.field.engine.why('P101-DRYRUN')?.firstOut?.time ?? 0;
    if (at <= this.#toldTrip) return;
    this.#toldTrip = at;
    this.#print(this.#why());
  }

  #short(name: string): string {
    const { image, plan } = this.#daemon.half.field;
    const tag = plan.table.get(name);
    return tag ? `${name}=${valueText(image.value(tag.index))}` : '';
  }

  #heading(): string {
    return (
      'Millrace demo: simulated pumping station -> Modbus TCP -> rules -> journal -> MQTT\n' +
      'Not a safety instrumented system: operational interlocks only.'
    );
  }

  #tags(): string {
    const { image, plan } = this.#daemon.half.field;
    const { wall } = this.#daemon.half;
    const rows = shown.flatMap((name) => {
      const tag = plan.table.get(name);
      if (!tag) return [];
      const time = image.times[tag.index] ?? 0;
      return [
        [
          name,
          valueText(image.value(tag.index)),
          tag.unit ?? '',
          qualityText(image.qualities[tag.index] ?? 0xff),
          clockTime(time === 0 ? 0 : wall.of(time)),
        ],
      ];
    });
    return table(['tag', 'value', 'unit', 'quality', 'time'], rows, [1]);
  }

  #rules(): string {
    const { engine } = this.#daemon.half.field;
    return table(['rule', 'state'], [...engine.states()]);
  }

  /** The reason of the trip, as `millrace why` gives it. */
  #why(): string {
    const explanation = this.#daemon.half.field.engine.why('P101-DRYRUN');
    if (!explanation?.firstOut) return 'P101-DRYRUN: no trip yet';
    const { firstOut, state } = explanation;
    return (
      `P101-DRYRUN ${state ?? ''}: first out ${firstOut.expression}: value ${valueText(firstOut.value)} ` +
      `${firstOut.unit ?? ''}, limit ${valueText(firstOut.limit)}, ${firstOut.quality}, at ${clockTime(firstOut.time)}`
    );
  }

  #north(): string {
    const { field, link } = this.#daemon.half;
    const { reported, unreported } = field.reporter;
    return (
      `broker took ${String(this.#broker.taken())} messages; ${String(reported)} samples reported, ` +
      `${String(unreported)} not worth it; ${String(link.keeper.entries.length)} entries on their way`
    );
  }

  #hints(): string {
    const cli = `npx millrace --socket ${this.#daemon.socket}`;
    return [
      'Try, in another terminal:',
      `  mosquitto_sub -p ${String(this.#broker.port)} -t 'edge/ps01/#' -v`,
      `  ${cli} why P101-DRYRUN`,
      `  ${cli} write P101.run_cmd true      (refused while the trip stands)`,
      `  ${cli} reset P101-DRYRUN`,
      `  ${cli} tags --watch`,
    ].join('\n');
  }
}
