import type { Socket } from 'node:net';
import { type Clock, GatewayError, type MonoMs, mono, type Timer } from '../contract/index.js';
import { limits } from '../limits.js';

/** Answers one request, a line each way; nothing where nobody waits for it any more. */
export type Answer = (line: string, isWanted: () => boolean) => Promise<string | undefined>;

/**
 * One client of the control socket. Its requests are answered one after the other, each when the answer before was taken: what
 * it sends meanwhile waits on its own side, and a client that does not read holds nothing but itself.
 */
export class ControlClient {
  readonly #socket: Socket;
  readonly #answer: Answer;
  readonly #clock: Clock;
  #text = '';
  #isBusy = false;
  /** It says nothing more, and waits for what it has asked. */
  #hasEnded = false;
  /** When it asked last, or came. */
  #heardAt: MonoMs;
  #patience: Timer | undefined;

  constructor(socket: Socket, answer: Answer, clock: Clock) {
    this.#socket = socket;
    this.#answer = answer;
    this.#clock = clock;
    this.#heardAt = clock.mono();
    socket.setEncoding('utf8');
    socket.on('close', () => this.#patience?.cancel());
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: string) => this.#take(chunk));
    socket.on('end', () => {
      this.#hasEnded = true;
      if (!this.#isBusy) socket.end();
    });
    this.#waitFor(limits.controlIdleMs);
  }

  /** Since when it asks nothing; undefined: it is being answered. */
  get idleSince(): MonoMs | undefined {
    return this.#isBusy ? undefined : this.#heardAt;
  }

  end(): void {
    this.#socket.destroy();
  }

  #take(chunk: string): void {
    this.#text += chunk;
    if (this.#text.length > limits.controlBytes) this.end();
    else if (!this.#isBusy) void this.#answerAll();
  }

  async #answerAll(): Promise<void> {
    this.#isBusy = true;
    this.#socket.pause();
    for (let line = this.#nextLine(); line !== undefined; line = this.#nextLine()) {
      this.#patience?.cancel();
      const reply = await this.#answer(line, () => !this.#socket.destroyed);
      if (reply === undefined || this.#socket.destroyed) return;
      if (!this.#socket.write(reply)) await this.#taken();
    }
    this.#isBusy = false;
    if (this.#hasEnded) this.#socket.end();
    this.#heardAt = this.#clock.mono();
    this.#waitFor(limits.controlIdleMs);
    this.#socket.resume();
  }

  #nextLine(): string | undefined {
    const end = this.#text.indexOf('\n');
    if (end < 0 || this.#socket.destroyed) return undefined;
    const line = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 1);
    return line;
  }

  /** Settles when the client has read what was written, or is gone. */
  #taken(): Promise<void> {
    this.#waitFor(limits.controlReadMs);
    const socket = this.#socket;
    return new Promise((resolve) => {
      const settle = (): void => {
        socket.off('drain', settle).off('close', settle);
        resolve();
      };
      socket.on('drain', settle).on('close', settle);
    });
  }

  /** Who lets us wait for longer is let go. */
  #waitFor(time: number): void {
    this.#patience?.cancel();
    this.#patience = this.#clock.at(mono(this.#clock.mono() + time), () => this.end());
  }
}

/** The line that says no to a request. */
export function refusal(id: string | number | null, error: GatewayError): string {
  const { code, kind, message, advice } = error;
  return `${JSON.stringify({ id, ok: false, error: { code, kind, message, advice } })}\n`;
}

/** Tells one for whom there is no room, and closes. */
export function turnAway(socket: Socket): void {
  const text = `${String(limits.controlClients)} clients are being answered already; try again`;
  const reply = refusal(null, new GatewayError('too-many', text));
  socket.on('error', () => socket.destroy());
  // It may keep its own side open for as long as it likes.
  socket.end(reply, () => socket.destroy());
}
