import { read, write } from 'node:fs';
import type { SerialPort } from 'serialport';
import { GatewayError } from '../contract/index.js';

/** What the library's open port has on Linux, as far as it is used here. */
interface OpenPort {
  readonly fd: number | null;
  readonly poller: { once: (event: Direction, run: (error: Error | null) => void) => void };
  /** What `drain` waits for. */
  writeOperation: Promise<void> | null;
  read: (
    buffer: Buffer,
    offset: number,
    length: number,
  ) => Promise<{ buffer: Buffer; bytesRead: number }>;
  write: (buffer: Buffer) => Promise<void>;
  close: () => Promise<void>;
}

type Direction = 'readable' | 'writable';
type SystemCall = (fd: number, done: (error: Error | null, count: number) => void) => void;

/**
 * Replaces how the library's open port moves bytes, for two defects of it (serialport 13.0.0):
 *
 * - It reads again at once when a read gives nothing, but of a port that was hung up (an adapter pulled
 *   out at the wrong moment) every read gives nothing: it turns for ever, takes a whole core and grows.
 *   Here nothing is the end.
 * - It closes the file while a read or write is under way in another thread, which may then reach whatever
 *   file was given the same number next. Here closing waits for them; they never block.
 *
 * Whoever asks the poller of a closed port ends the process with a segmentation fault: so there is one
 * place that asks it, and it looks first. The interop tests of serial life pull the adapter, and close the
 * port, at these moments.
 */
export function takeOverTransfers(port: SerialPort): void {
  const open = port.port as unknown as OpenPort | undefined;
  if (!open?.poller) return;
  const close = open.close.bind(open);
  const underWay = new Set<Promise<number>>();
  let closing = false;
  const file = (): number => {
    if (closing || open.fd === null) throw gone('the port is closed');
    return open.fd;
  };

  const transfer = async (direction: Direction, call: SystemCall): Promise<number> => {
    for (;;) {
      const going = moved(file(), call);
      underWay.add(going);
      const count = await going.finally(() => underWay.delete(going));
      if (count !== later) return count;
      file();
      await ready(open.poller, direction);
    }
  };

  open.read = async (buffer, offset, length) => {
    const bytesRead = await transfer('readable', (fd, done) =>
      read(fd, buffer, offset, length, null, done),
    );
    if (bytesRead === 0) throw gone('the port was hung up');
    return { buffer, bytesRead };
  };
  open.write = (buffer) => {
    const whole = async (): Promise<void> => {
      for (let sent = 0; sent < buffer.length;)
        sent += await transfer('writable', (fd, done) =>
          write(fd, buffer, sent, buffer.length - sent, null, done),
        );
    };
    return (open.writeOperation = whole());
  };
  open.close = async () => {
    closing = true;
    await Promise.allSettled(underWay);
    await close();
  };
}

/** The count of a call that would have had to wait. */
const later = -1;

function moved(fd: number, call: SystemCall): Promise<number> {
  return new Promise((resolve, reject) => {
    call(fd, (error: NodeJS.ErrnoException | null, count) => {
      if (!error) resolve(count);
      else if (/^(EAGAIN|EWOULDBLOCK|EINTR)$/.test(error.code ?? '')) resolve(later);
      else reject(gone(error.message));
    });
  });
}

/** Rejects when the port is closed while it waits. */
function ready(poller: OpenPort['poller'], direction: Direction): Promise<void> {
  return new Promise((resolve, reject) => {
    poller.once(direction, (error) => (error ? reject(gone(error.message)) : resolve()));
  });
}

function gone(why: string): GatewayError {
  return new GatewayError('link-closed', why);
}
