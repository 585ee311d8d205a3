import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { type DriverModule, GatewayError, invariant, plainErrorOf } from '../contract/index.js';
import { plannedOf } from './driver-answers.js';
import { factsOf } from './driver-facts.js';

import { notPlain } from './plain-data.js';
import type { Answer, FromReader, Question, ReaderData } from './reader-messages.js';

/** Loads a driver's module, and asks its pure functions, where they can block and end nobody but themselves. */

function answerTo(module: Readonly<Record<string, unknown>>, { fn, args }: Question): Answer {
  try {
    const value: unknown = (module[fn] as (...args: readonly unknown[]) => unknown)(...args);
    const told = fn === 'plan' ? plannedOf(value) : value;
    const path = notPlain(told);
    if (path !== undefined)
      throw new GatewayError(
        'driver-failed',
        `gives what cannot be copied to its thread${path === '' ? '' : ` (at ${path})`}: ` +
          'plain data only, or inProcess: true at the link',
      );
    return { ok: true, value: told };
  } catch (thrown) {
    return { ok: false, why: plainErrorOf(thrown) };
  }
}

function serve(port: MessagePort, answered: Int32Array, module: DriverModule): void {
  port.on('message', (question: Question) => {
    port.postMessage(answerTo(module as never, question));
    Atomics.store(answered, 0, 1);
    Atomics.notify(answered, 0);
  });
}

function say(message: FromReader): void {
  parentPort?.postMessage(message);
}

/** Lines printed until the host no longer wants to hear them: they would fill its memory. */
let linesLeft = 1_000;
for (const output of [process.stdout, process.stderr])
  output.write = (text: Uint8Array | string) => {
    if (linesLeft-- > 0) say({ kind: 'printed', text: String(text).trim() });
    return true;
  };

// The host is asleep while it waits for an answer, and would not hear of an end.
process.exit = (code?: number | string | null): never => {
  throw new GatewayError('driver-failed', `calls process.exit(${String(code ?? '')})`);
};

invariant(parentPort !== null, 'this module is the start of a thread');
const { entry, answered } = workerData as ReaderData;
// Not to be waited for: one that an exception ends answers no more.
process.once('exit', () => {
  Atomics.store(answered, 0, 1);
  Atomics.notify(answered, 0);
});
parentPort.once('message', (port: MessagePort) => {
  import(entry).then(
    (exported: unknown) => {
      try {
        const facts = factsOf(exported);
        serve(port, answered, (exported as { readonly driver: DriverModule }).driver);
        say({ kind: 'loaded', facts });
      } catch (thrown) {
        say({ kind: 'refused', why: plainErrorOf(thrown) });
      }
    },
    (thrown: unknown) => {
      const { message } = plainErrorOf(thrown);
      const why = new GatewayError('driver-unknown', `its module throws: ${message}`);
      say({ kind: 'refused', why: plainErrorOf(why) });
    },
  );
});
