import { ms, parseDuration, type DurationMs } from '../contract/index.js';
import { mays } from './may.js';
import type { GatewayConfig, JournalConfig, SocketConfig } from './model.js';
import type { Problems } from './problems.js';
import type { Session } from './session.js';
import type { Ref } from './tree.js';
import { parsePercent, parseSize } from './units.js';

/** `gateway:` */
export function readGateway(ref: Ref): GatewayConfig {
  const [id, site] = [ref.child('id').text, ref.child('site').text];
  return {
    // What is wrong with them was reported; topics made of them shall not be wrong once more.
    id: id !== undefined && /^[\w.-]+$/.test(id) ? id : 'gateway',
    site: site === undefined || isTopicSafe(site) ? site : 'site',
    language: ref.child('language').value === 'zh' ? 'zh' : 'en',
    firstStart: ref.child('firstStart').value === 'tripped' ? 'tripped' : 'normal',
  };
}

function isTopicSafe(text: string): boolean {
  return !/[+#\s]/.test(text) && !text.split('/').includes('');
}

const leastJournal = 8 * 1024 ** 2;
const windowBounds = { least: 100, most: 60_000 };
const day = 86_400_000;

/** `journal:`; `main` is the main file, against which defaults are resolved. */
export function readJournal(session: Session, ref: Ref, main: string): JournalConfig {
  const { problems } = session;
  const size = ref.child('size');
  const sizeBytes = parseSize(size.text ?? '') ?? 512 * 1024 ** 2;
  if (sizeBytes < leastJournal)
    problems.error(size, `${size.text ?? ''} is too small for a journal`, 'use 8MiB or more');
  const free = ref.child('freeDisk');
  const freeDisk = parsePercent(free.text ?? '') ?? 0.1;
  if (freeDisk > 0.9) problems.error(free, 'no room is left for the journal', 'use 90 % or less');
  const window = ref.child('window');
  const windowMs = parseDuration(window.text ?? '') ?? ms(1_000);
  if (windowMs < windowBounds.least || windowMs > windowBounds.most)
    problems.error(window, `${window.text ?? ''} is out of range`, 'use 100ms to 60s');
  return {
    path: readPath(session, ref.child('path'), main, 'millrace-data/journal.db'),
    sizeBytes,
    age: readAge(problems, ref.child('age')) ?? ms(30 * day),
    freeDisk,
    historyKeep: readAge(problems, ref.child('history').child('keep')),
    window: windowMs,
  };
}

function readAge(problems: Problems, ref: Ref): DurationMs | undefined {
  const age = parseDuration(ref.text ?? '');
  if (age === 0) problems.error(ref, 'must be longer than 0');
  return age;
}

/** The folder of what is remembered of trips. It does not move with the journal: what is gone there is here. */
export function readState(session: Session, gateway: Ref, main: string): string {
  return readPath(session, gateway.child('state'), main, 'millrace-data/state');
}

/** A path, against the file in which it is typed. */
function readPath(session: Session, ref: Ref, main: string, fallback: string): string {
  const { text } = ref;
  return text === undefined || text === ''
    ? session.host.resolve(main, fallback)
    : session.host.resolve(ref.at.file.path, text);
}

/** The system's bound for the path of a Unix socket is 108 bytes, less where it is not Linux. */
const longestSocket = 100;

/** `control:` */
export function readControl(
  session: Session,
  ref: Ref,
  main: string,
): { readonly control: string; readonly sockets: readonly SocketConfig[] } {
  const control = readPath(session, ref.child('socket'), main, 'millrace-data/control.sock');
  refuseLong(session, ref.child('socket'), control);
  const sockets = [...ref.child('sockets').children()].map(([name, socket]): SocketConfig => {
    const path = session.host.resolve(control, `${name}/control.sock`);
    refuseLong(session, socket, path);
    const typed = socket.child('may').text;
    // The schema has refused all others, and says so.
    const may = mays.find((one) => one === typed) ?? 'view';
    const roles = socket
      .child('roles')
      .items()
      .map(({ value }) => String(value));
    return { name, path, may, roles };
  });
  return { control, sockets };
}

function refuseLong(session: Session, ref: Ref, path: string): void {
  const length = new TextEncoder().encode(path).length;
  if (length > longestSocket)
    session.problems.error(
      ref,
      `the path of the socket is too long: ${length} bytes, at most ${longestSocket}`,
      'write control: { socket: /run/millrace/control.sock }',
    );
}
