/**
 * The Modbus driver against a server made of libmodbus, which many devices and programs are built on: TCP and
 * RTU on a serial line, every type in every byte order, every function that it has.
 */
import t, { type Test } from 'tap';
import {
  exceptionStatus,
  identification,
  loopback,
  serverId,
  type Request,
} from '../../drivers/modbus/session/request.js';
import { must } from '../support/must.js';
import { scratch } from '../support/scratch.js';
import {
  bits,
  longFrames,
  readsEverything,
  refusals,
  writesEverything,
  writesSingly,
  type Bench,
} from './exercise.js';
import { Diagnosis, Field } from './field.js';
import { libmodbusSource } from './libmodbus-server.js';
import { hasPeer } from './peer.js';
import { Cable, compile, PeerProcess } from './peer-process.js';

const functions = [1, 2, 3, 4, 5, 6, 15, 16, 22, 23];
const to = { unit: 3, device: 'D' };

const hasLibmodbus = await hasPeer(t, 'gcc or libmodbus-dev', [
  'gcc',
  '-xc',
  '-fsyntax-only',
  '-include',
  'modbus/modbus.h',
  '/dev/null',
]);
const hasSocat = await hasPeer(t, 'socat', ['socat', '-V']);

/** libmodbus has FC 17 alone of these; the others it refuses or leaves without an answer. */
async function diagnoses(t: Test, text: string): Promise<void> {
  const diagnosis = await Diagnosis.open(text);
  const id = await diagnosis.ask(serverId(to));
  must(id.ok, 'FC 17 is answered');
  t.match(Buffer.from(id.pdu).toString('latin1'), /LMB\d/, 'FC 17 tells who it is');
  const others: readonly (readonly [string, Request])[] = [
    ['FC 7', exceptionStatus(to)],
    ['FC 8', loopback(to, 0x1234)],
    ['FC 43/14', identification(to, 1, 0)],
  ];
  for (const [title, request] of others) {
    const answer = await diagnosis
      .ask(request, 1_500)
      .catch((thrown: unknown) => (thrown as { code?: string }).code);
    t.comment(`${title}: ${JSON.stringify(answer)}`);
    if (typeof answer === 'object')
      t.same(answer, { ok: false, exception: 1 }, `${title}: refused`);
    else t.equal(answer, 'aborted', `${title}: no answer`);
  }
  t.equal((await diagnosis.ask(serverId(to))).ok, true, 'and the next question is answered');
  diagnosis.close();
}

function against(title: string, mode: 'tcp' | 'rtu'): void {
  void t.test(`libmodbus: ${title}`, { timeout: 180_000 }, async (t) => {
    const folder = await scratch(t);
    const program = await compile(folder, libmodbusSource, '-lmodbus');
    const cable = mode === 'rtu' ? await Cable.plug(t, folder) : undefined;
    const peer = await PeerProcess.start(t, program, [mode, cable?.far ?? '']);
    const text = cable ? `serial:${cable.near}?9600,8N1` : `tcp://127.0.0.1:${String(peer.port)}`;
    const field = await Field.open(text);
    t.teardown(() => field.close());
    // On TCP it looks at no unit id. On a line it takes what follows a foreign request for its answer.
    const bench: Bench = { t, field, peer, unit: 3, foreign: mode === 'tcp' ? 'answers' : 'waits' };
    await readsEverything(bench);
    await writesEverything(bench);
    await writesSingly(bench);
    await bits(bench, 2_000);
    await longFrames(bench);
    await refusals(bench);
    t.same(
      [...field.functions].sort((a, b) => a - b),
      functions,
      'every function was used',
    );
    await field.close();
    await diagnoses(t, text);
    t.ok(peer.child.running, 'the peer is alive');
  });
}

if (hasLibmodbus) against('TCP', 'tcp');
if (hasLibmodbus && hasSocat) against('RTU on a serial line', 'rtu');
