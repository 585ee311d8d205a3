/** What people and their programs do to a gateway through its control socket. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { limits } from '../../../gateway/limits.js';
import { startFake } from './fake.js';
import { type Additions, device, devices, linkText, tagsOfDevice } from './plant.js';
import { tripWrites } from './plc.js';
import type { Scene, Setup, Stage, Trouble } from './scene.js';
import { startDevices } from './scenes-load.js';

interface Reloads {
  readonly done: number;
  readonly refused: number;
  readonly longestMs: number;
  readonly last: string;
}

/** Reloads one text after the other, without a pause. @param counted those that are meant; there may be no others */
async function reloads(
  { t, socket, file, folder }: Stage,
  texts: readonly string[],
  counted: 'done' | 'refused',
  least: number,
): Promise<Trouble> {
  const files = texts.map((_, i) => join(folder, `text${i}.yaml`));
  for (const [i, text] of texts.entries()) await writeFile(files[i] ?? '', text);
  const fake = await startFake(t, 'reloads', [socket, file, ...files]);
  const state = async (): Promise<Reloads> => (await fake.ask('state')) as Reloads;
  await fake.ask('begin');
  return {
    times: async () => (await state())[counted],
    least,
    text: async () => {
      const { done, refused, longestMs, last } = await state();
      const counts = `${done} reloads, ${refused} refused, longest ${longestMs.toFixed(0)} ms`;
      const isOdd = counted === 'done' ? refused > 0 : done > 0;
      return isOdd ? `${counts}; UNEXPECTED: ${last}` : counts;
    },
    end: () => fake.ask('end'),
  };
}

const units = 160;
/** Devices whose tags have other names in the other configuration. */
const changing = 16;
const interlocks = 2_000;

/**
 * 20,000 tags and 2,000 interlocks on their devices. Two kinds, which differ in limits of interlocks and in tags of some
 * devices.
 * @param apart these devices have a link for themselves. Otherwise the link of all is restarted, and all interlocks trip
 */
function large(port: number, isOther: boolean, apart: boolean): Additions {
  const changes = (unit: number): boolean => unit > units - changing;
  const all = Array.from({ length: units }, (_, i) => {
    const isChanged = isOther && changes(i + 1);
    const nameOf = (r: number): string => (isChanged && r >= 100 && r < 110 ? `u${r}` : `t${r}`);
    return device(`L${i + 1}`, i + 1, tagsOfDevice, nameOf);
  });
  const link = (name: string, some: readonly string[]): string =>
    linkText({ name, port, period: '1s', devices: some });
  const links = apart
    ? link('field', all.slice(0, -changing)) + link('other', all.slice(-changing))
    : link('field', all);
  const held = units - changing;
  const writes = Array.from({ length: held }, (_, i) => `  L${i + 1}.t124: { allow: [rules] }\n`);
  const rules = Array.from({ length: interlocks }, (_, i) => {
    const unit = `L${(i % held) + 1}`;
    const limit = 60_000 + (isOther && i % 4 === 0 ? 1 : 0);
    return `  - { interlock: I${i}, cause: ${unit}.t${Math.floor(i / held)} > ${limit}, latch: auto, effects: [{ set: ${unit}.t124, to: 1 }] }\n`;
  });
  return { links, writes: writes.join(''), rules: rules.join('') };
}

async function swaps(stage: Stage, apart: boolean): Promise<Setup> {
  const { port } = (await startDevices(stage.t, units)).ready;
  const [one, other] = [large(port, false, apart), large(port, true, apart)];
  const texts = [stage.text(other), stage.text(one)];
  return { more: one, begin: () => reloads(stage, texts, 'done', 2) };
}

/** As much as is read of a file: every rule is wrong, or the last one only. */
function hugeTexts(good: string): readonly string[] {
  const rule = (i: number, latch: string): string =>
    `  - { interlock: N${i}, cause: P.pressure > ${1_000 + i} bar, latch: ${latch}, effects: [{ set: P.run_cmd, to: ${tripWrites} }] }\n`;
  return ['never', 'auto'].map((latch) => {
    const lines = [good];
    const last = rule(0, 'never');
    let bytes = good.length + last.length;
    for (let i = 1; ; i++) {
      const next = rule(i, latch);
      bytes += next.length;
      if (bytes > limits.configBytes) break;
      lines.push(next);
    }
    return [...lines, last].join('');
  });
}

const refused: Scene = {
  name: 'refused',
  prepare: (stage) =>
    Promise.resolve({
      begin: () => reloads(stage, hugeTexts(stage.text({})), 'refused', 2),
    }),
};

const unreadUnits = 40;
const requestsAtOnce = 1_000;

async function unread({ t, socket }: Stage): Promise<Setup> {
  const { port } = (await startDevices(t, unreadUnits)).ready;
  const links = linkText({ name: 'field', port, period: '1s', devices: devices(unreadUnits) });
  return {
    more: { links },
    begin: async () => {
      const fake = await startFake(t, 'asks', [socket, requestsAtOnce]);
      const state = async (): Promise<{ written: number; failed: number }> =>
        (await fake.ask('state')) as { written: number; failed: number };
      await fake.ask('begin');
      return {
        times: async () => (await state()).written,
        least: 4,
        text: async () => {
          const { written, failed } = await state();
          return `${written} clients, ${failed} turned away`;
        },
        end: () => fake.kill(),
      };
    },
  };
}

export const people: readonly Scene[] = [
  { name: 'swaps', prepare: (stage) => swaps(stage, true) },
  { name: 'swaps-link', prepare: (stage) => swaps(stage, false) },
  refused,
  { name: 'unread', prepare: unread },
];
