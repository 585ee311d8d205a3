import type { SerialPort } from 'serialport';
import {
  type ByteStream,
  type Endpoint,
  GatewayError,
  type RtsMode,
  type SerialLine,
} from '../contract/index.js';
import { attempt } from './attempt.js';
import { takeOverTransfers } from './serial-port.js';

/**
 * Opens a serial port, for this process alone. Rejects with `link-unreachable` when there is none (an
 * adapter that is unplugged), `link-refused` when another program has it, or the reason of the abort.
 */
export async function openSerial(
  endpoint: Endpoint,
  signal: AbortSignal,
  rts: RtsMode,
): Promise<ByteStream> {
  const { serial } = endpoint;
  if (!serial) throw new GatewayError('link-unreachable', `${endpoint.text} names no serial port`);
  // A native module: only gateways with a serial line load it.
  const { SerialPort } = await import('serialport');
  const port = new SerialPort({ ...settings(serial), autoOpen: false });
  await opened(port, endpoint, signal);
  takeOverTransfers(port);
  return new SerialStream(port, endpoint, rts);
}

function settings({ path, baudRate, dataBits, parity, stopBits }: SerialLine): {
  path: string;
  baudRate: number;
  dataBits: 7 | 8;
  parity: 'none' | 'even' | 'odd';
  stopBits: 1 | 2;
} {
  return { path, baudRate, dataBits, parity, stopBits };
}

function opened(port: SerialPort, endpoint: Endpoint, signal: AbortSignal): Promise<void> {
  return attempt(
    signal,
    // A port that is being opened cannot be stopped; it is closed when it is.
    () => undefined,
    (end) =>
      port.open((error) => {
        if (signal.aborted) {
          if (!error) port.close(() => undefined);
        } else if (error) end.failed(refusal(error, endpoint));
        else end.opened();
      }),
  );
}

class SerialStream implements ByteStream {
  readonly #port: SerialPort;
  readonly #rts: RtsMode;
  readonly #endpoint: Endpoint;
  #onBytes: ((bytes: Uint8Array) => void) | undefined;
  #onEnd: ((why: GatewayError) => void) | undefined;
  #closed = false;

  constructor(port: SerialPort, endpoint: Endpoint, rts: RtsMode) {
    this.#port = port;
    this.#rts = rts;
    this.#endpoint = endpoint;
    port.on('data', (bytes: Uint8Array) => this.#onBytes?.(bytes));
    port.on('error', (error: Error) => this.#end(refusal(error, endpoint)));
    // An adapter that is pulled out shows as a close with an error, or without.
    port.on('close', () =>
      this.#end(new GatewayError('link-closed', `${endpoint.text} has gone away`)),
    );
    if (rts !== 'none') this.#set(rts === 'on' || rts === 'toggle-inverted');
  }

  onBytes(handler: (bytes: Uint8Array) => void): void {
    this.#onBytes = handler;
  }
  onEnd(handler: (why: GatewayError) => void): void {
    this.#onEnd = handler;
  }

  write(bytes: Uint8Array): void {
    if (this.#closed) return;
    const copy = Buffer.from(bytes);
    if (this.#rts === 'toggle' || this.#rts === 'toggle-inverted') {
      const sending = this.#rts === 'toggle';
      // Not before RTS stands: the first characters would be lost.
      this.#set(sending, () => {
        this.#port.write(copy);
        // Drained = the last bit has left the port; the device waits for 3.5 characters at least.
        this.#port.drain(() => {
          if (!this.#closed) this.#set(!sending);
        });
      });
    } else this.#port.write(copy);
  }

  close(): void {
    this.#onBytes = undefined;
    this.#onEnd = undefined;
    if (this.#closed) return;
    this.#closed = true;
    if (this.#port.isOpen) this.#port.close(() => undefined);
  }

  #set(on: boolean, then?: () => void): void {
    this.#port.set({ rts: on }, (error) => {
      if (error) this.#end(refusal(error, this.#endpoint));
      else if (!this.#closed) then?.();
    });
  }

  #end(why: GatewayError): void {
    const handler = this.#onEnd;
    this.close();
    handler?.(why);
  }
}

function refusal(error: Error, endpoint: Endpoint): GatewayError {
  const { message } = error;
  if (/lock|busy|temporarily unavailable/i.test(message))
    return new GatewayError(
      'link-refused',
      `${endpoint.text} is in use by another program`,
      {},
      error,
    );
  if (/permission|access denied/i.test(message))
    return new GatewayError(
      'link-refused',
      `${endpoint.text}: no permission; put the user into the group dialout`,
      {},
      error,
    );
  if (/no such file/i.test(message))
    return new GatewayError(
      'link-unreachable',
      `${endpoint.text}: there is no such port; is the adapter plugged in?`,
      {},
      error,
    );
  return new GatewayError('link-unreachable', `${endpoint.text}: ${message}`, {}, error);
}
