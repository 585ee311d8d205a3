import type { DeviceConfig } from '../../gateway/config/model.js';
import type { Inbox, InboxItem } from '../../gateway/scan/inbox.js';
import { Link, stagger } from '../../gateway/scan/link.js';
import { unwatched } from '../support/create.js';
import { InboxView, type Seen } from '../support/inbox-view.js';
import { Seeded } from '../support/random.js';
import { VirtualClock, settle } from '../support/virtual-clock.js';
import { Script, lost, scriptedLink } from './script.js';

/** One link, and its inbox emptied every 10 ms into the last quality and value of each tag. */
export class Bench {
  readonly clock: VirtualClock = new VirtualClock();
  readonly script: Script = new Script(this.clock);
  readonly #view = new InboxView();
  readonly inbox: Inbox = this.#view.inbox;
  readonly seen: ReadonlyMap<string, Seen> = this.#view.seen;
  readonly items: InboxItem[] = this.#view.items;
  /** Values that were told for the record only. */
  readonly history: number[] = [];
  /** Longest silences, as links told them. */
  readonly revised: number[] = [];
  link: Link | undefined;

  start(devices: readonly DeviceConfig[]): Link {
    const config = scriptedLink('l', this.script, devices);
    const link = new Link(config, Int32Array.from(config.bindings.keys()), {
      ...unwatched(),
      clock: this.clock,
      random: new Seeded(1),
      inbox: this.inbox,
      open: () => Promise.reject(lost()),
      onRevised: (alive) => void this.revised.push(alive),
      onHistory: (_, samples) => {
        for (let i = 0; i < samples.count; i++) this.history.push(samples.numbers[i] ?? NaN);
      },
    });
    this.link = link;
    stagger([link], this.clock.mono());
    link.start();
    return link;
  }
  async pass(time: number): Promise<void> {
    const until = this.clock.mono() + time;
    while (this.clock.mono() < until) {
      await settle();
      await this.clock.run(Math.min(until, this.clock.mono() + 10));
      await settle();
      this.#take();
    }
  }
  #take(): void {
    this.#view.take(this.link?.config.bindings.map(({ name }) => name) ?? []);
  }
  steps(): number {
    return this.script.steps.length;
  }
  quality(name: string): number | undefined {
    return this.seen.get(name)?.quality;
  }
}
