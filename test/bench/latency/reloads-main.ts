/**
 * `reloads-main.js SOCKET TARGET FILE…`: from `begin` on, writes one file after the other over the configuration of a
 * gateway, and has it reloaded.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { ask } from '../../../bin/client.js';
import { serve } from '../../support/helper.js';

const [socket = '', target = '', ...files] = process.argv.slice(2);
const texts = await Promise.all(files.map((file) => readFile(file)));
const count = { done: 0, refused: 0 };
let longestMs = 0;
let last = '';
let isOver = false;
let turns: Promise<void> = Promise.resolve();

async function reload(text: Uint8Array): Promise<void> {
  await writeFile(`${target}.new`, text);
  await rename(`${target}.new`, target);
  const begun = performance.now();
  try {
    last = JSON.stringify(await ask(socket, 'reload'));
    count.done++;
  } catch (thrown) {
    last = String(thrown);
    count.refused++;
  }
  longestMs = Math.max(longestMs, performance.now() - begun);
}

async function reloads(): Promise<void> {
  for (let i = 0; !isOver; i++) {
    const text = texts[i % texts.length];
    if (text) await reload(text);
  }
}

serve(undefined, {
  begin: () => {
    turns = reloads();
  },
  // The beginning of an answer says enough.
  state: () => ({ ...count, longestMs, last: last.slice(0, 300) }),
  end: async () => {
    isOver = true;
    await turns;
  },
});
