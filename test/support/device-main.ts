/**
 * A Modbus TCP device in a process of its own: the server of the `modbus-serial` package, which shares
 * nothing with our client. Every read of a unit's block counts; all its registers, taken in pairs, hold
 * that count. So a consumer sees from the values alone which reads never reached it.
 */
import { ServerTCP } from 'modbus-serial';
import { freePort } from './scratch.js';
import { serve } from './helper.js';

const port = Number(process.argv[2] ?? 0) || (await freePort());
const reads = new Map<number, number>();
let connections = 0;

const server = new ServerTCP(
  {
    getMultipleHoldingRegisters: (_address: number, length: number, unit: number): number[] => {
      const count = (reads.get(unit) ?? 0) + 1;
      reads.set(unit, count);
      return Array.from({ length }, (_, i) => (i % 2 === 0 ? count >>> 16 : count & 0xffff));
    },
  },
  { host: '127.0.0.1', port, unitID: 255 },
);
server.on('socketError', () => undefined);
await new Promise<void>((resolve) => server.once('initialized', () => resolve()));
(server as unknown as { _server: { on(event: string, run: () => void): void } })._server.on(
  'connection',
  () => connections++,
);

serve(
  { port },
  {
    reads: () => Object.fromEntries(reads),
    connections: () => connections,
  },
);
