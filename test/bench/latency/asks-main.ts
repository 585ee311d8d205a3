/**
 * `asks-main.js SOCKET REQUESTS`: clients of the control socket that write so many requests at once and read nothing.
 * Each is replaced by another one after a second.
 */
import { connect, type Socket } from 'node:net';
import { serve } from '../../support/helper.js';

const [path = '', requests = '1'] = process.argv.slice(2);
const atOnce = 4;
const lastsMs = 1_000;
const text = Array.from(
  { length: Number(requests) },
  (_, id) => `${JSON.stringify({ id, op: 'tags', args: {} })}\n`,
).join('');
let written = 0;
let failed = 0;

function client(): Socket {
  const socket = connect(path);
  // It does not even take what the system has received.
  socket.pause();
  socket.on('error', () => failed++);
  socket.once('connect', () => socket.write(text, () => written++));
  return socket;
}

function begin(): void {
  const clients: Socket[] = [];
  setInterval(() => {
    if (clients.length >= atOnce) clients.shift()?.destroy();
    clients.push(client());
  }, lastsMs / atOnce);
}

serve(undefined, { begin, state: () => ({ written, failed }) });
