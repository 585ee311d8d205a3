import type { Config, LinkConfig } from '../../../gateway/config/model.js';
import { ms, type RuleLanguage } from '../../../gateway/contract/index.js';
import { Control } from '../../../gateway/run/control.js';
import type { Plan } from '../../../gateway/run/plan.js';
import { ruleLanguage } from '../../../rules/index.js';
import { Script } from '../../scan/script.js';
import { config, link, tag } from '../../support/config.js';
import { must } from '../../support/must.js';
import { StateFolder } from '../../support/memory-files.js';
import { VirtualClock } from '../../support/virtual-clock.js';
import { gateway, type Gateway } from '../rig.js';
import type { Text } from './changes.js';

export const engine: RuleLanguage = ruleLanguage;

/** A plant that outlives its gateways: what was written is at its addresses, whatever its tags are called. */
export class Plant {
  readonly #clock = new VirtualClock();
  readonly #script = new Script(this.#clock);
  readonly #folder = new StateFolder();
  readonly #rules: RuleLanguage;
  readonly #values = new Map<number, number>([
    [1, 1],
    [2, 1],
    [4, 1],
    [5, 1],
    [6, 1],
    [9, 0],
  ]);
  /** Every write that arrived, in order. */
  readonly writes: { readonly address: number; readonly value: boolean }[] = [];
  #text: Text;
  #g: Gateway | undefined;
  #process: ReturnType<VirtualClock['process']> | undefined;
  #store: Gateway['store'] | undefined;

  constructor(text: Text, rules: RuleLanguage) {
    this.#text = text;
    this.#rules = rules;
    this.#script.onWrite = (_, value, address) => {
      this.writes.push({ address, value: Boolean(value) });
      this.set(address, Number(value));
      return undefined;
    };
  }

  set(address: number, value: number): void {
    this.#values.set(address, value);
    const put = (device: string, tags: Text['tags']): void => {
      for (const [name, at] of Object.entries(tags))
        if (at === address) this.#script.values.set(`${device}.${name}`, value);
    };
    put('S', inputs);
    put('P', this.#text.tags);
  }
  get(address: number): number {
    return this.#values.get(address) ?? 0;
  }

  get #running(): Gateway {
    must(this.#g !== undefined, 'the plant has a gateway');
    return this.#g;
  }
  async pass(time: number): Promise<void> {
    await this.#running.pass(time);
  }

  async start(text: Text = this.#text): Promise<void> {
    this.#adopt(text);
    this.#process = this.#clock.process();
    const extra = {
      clock: this.#process,
      memoryFiles: this.#folder.open(),
      rules: this.#rules,
      // What is planted in a compiled program would be left behind where programs are copied.
      ...(this.#rules === engine ? {} : { handOver: (plan: Plan) => Promise.resolve(plan) }),
    };
    this.#g = await gateway(configOf(text, this.#script), this.#clock, extra, this.#store);
    // Until what is held has been written anew, and read back.
    await this.pass(6_000);
  }
  /** The gateway stops in order. */
  async stop(): Promise<void> {
    await this.#running.stop();
    this.kill();
  }
  kill(): void {
    this.#process?.kill();
    this.#store = this.#running.store.reopen();
    this.#g = undefined;
  }

  /** What was refused; undefined: it is in force. */
  async reload(text: Text, keepTrips: boolean): Promise<string | undefined> {
    const g = this.#running;
    const who = { name: 'eve', roles: ['engineer'] };
    const refused = await g
      .until(g.runtime.reload(configOf(text, this.#script), { who, keepTrips }))
      .then(
        () => undefined,
        (thrown: unknown) => String(thrown),
      );
    if (refused === undefined) this.#adopt(text);
    await this.pass(3_000);
    return refused;
  }
  #adopt(text: Text): void {
    this.#text = text;
    for (const [address, value] of this.#values) this.set(address, value);
  }

  /** Asks as an operator would; undefined and why not. */
  async ask(op: string, args: Record<string, unknown>, who = 'eve'): Promise<Answer> {
    const g = this.#running;
    const control = new Control(g.runtime.northHalf);
    return g.until(
      control.handle({ op, args, who }).then(
        (said) => ({ said, refused: undefined }),
        (thrown: unknown) => ({ said: undefined, refused: String(thrown) }),
      ),
    );
  }
  state(rule: string): string {
    return this.#running.runtime.field.engine.states().get(rule) ?? '';
  }
}
interface Answer {
  readonly said: unknown;
  readonly refused: string | undefined;
}

/** Inputs and outputs are on lines of their own: what becomes of the outputs makes no input bad. */
function configOf(text: Text, script: Script): Config {
  return config({
    links: [linkOf('a', 'S', inputs, script), linkOf('b', 'P', text.tags, script)],
    writes: new Map(
      text.writable.map((name) => [
        name,
        {
          range: undefined,
          ratePerSecond: undefined,
          expect: false,
          tag: name,
          allow: new Set(['rules', 'operator'] as const),
          verify: { by: name, within: ms(3_000) },
        },
      ]),
    ),
    roles: new Map(['shift', 'engineer'].map((role) => [role, ['eve']])),
    rules: text.rules.map((rule, index) => ({ file: 'r.yaml', index, rule })),
    revision: JSON.stringify(text),
  });
}

const inputs = { t1: 1, t9: 9 };

function linkOf(
  name: string,
  device: string,
  addresses: Readonly<Record<string, number>>,
  script: Script,
): LinkConfig {
  const tags = Object.keys(addresses).map((local) =>
    tag(device, local, name, local === 't1' ? { type: 'float32', unit: 'bar' } : { type: 'bool' }),
  );
  const devices = [{ name: device, link: name, tags, primary: undefined, events: undefined }];
  const keys = {
    device: () => ({}),
    tag: ({ local }: { local: string }) => ({ address: addresses[local] }),
  };
  return {
    ...link(name, script.module, `sim://${name}`, devices, keys),
    hash: JSON.stringify([name, addresses]),
  };
}
