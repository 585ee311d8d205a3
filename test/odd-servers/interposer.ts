import type { OPCUAServer } from 'node-opcua';
import { must } from '../support/must.js';

/** An answer of a server, as its library is about to send it. */
export interface Answer {
  readonly schema: { readonly name: string };
  responseHeader: { serviceResult: unknown; timestamp: Date | null; requestHandle: number };
  results?: unknown[] | null;
}

interface Message {
  readonly request: {
    readonly schema: { readonly name: string };
    readonly endpointUrl?: unknown;
    readonly requestHeader?: { readonly authenticationToken?: { toString(): string } };
  };
}

/** What is sent instead: this answer, another one, several, none; or later. */
export type Twist = (answer: Answer, request: Message['request']) => Twisted;
export type Twisted = Answer | 'nothing' | 'twice' | { readonly laterMs: number };

interface Channel {
  abruptlyInterrupt(): void;
  send_response(type: string, answer: Answer, message: Message, done?: () => void): void;
}

/** Stands between a server and its wires, and twists answers to single clients. */
export class Interposer {
  readonly #twists = new Map<string, { readonly service: string; readonly twist: Twist }>();
  readonly #channels = new Map<string, Set<Channel>>();
  /** By their tokens. */
  readonly #sessions = new Map<string, string>();
  /** How often something was twisted, by the path of the client's URL. */
  readonly twisted: Map<string, number> = new Map<string, number>();

  constructor(server: OPCUAServer) {
    server.on('newChannel', (channel) => this.#stand(channel as unknown as Channel));
  }

  /** From now on, what this client is answered by a service. */
  set(client: string, service: string, twist: Twist): void {
    this.#twists.set(client, { service, twist });
  }
  clear(client: string): void {
    this.#twists.delete(client);
  }
  /** Cuts the connections of this client; the server keeps its session. */
  cut(client: string): void {
    for (const channel of this.#channels.get(client) ?? []) channel.abruptlyInterrupt();
    this.#channels.delete(client);
  }

  /** Who asks: by the URL that it names, or by a session of which that is known. */
  #clientOf(
    { request: { endpointUrl, requestHeader } }: Message,
    known: string | undefined,
  ): string | undefined {
    const session = String(requestHeader?.authenticationToken ?? '');
    const client =
      typeof endpointUrl === 'string'
        ? new URL(endpointUrl).pathname
        : (known ?? this.#sessions.get(session));
    if (client !== undefined && requestHeader) this.#sessions.set(session, client);
    return client;
  }

  #stand(channel: Channel): void {
    const send = channel.send_response.bind(channel);
    let client: string | undefined;
    channel.send_response = (type, answer, message, done) => {
      client = this.#clientOf(message, client);
      if (client !== undefined)
        this.#channels.set(client, (this.#channels.get(client) ?? new Set()).add(channel));
      const set = this.#twists.get(client ?? '');
      const service = message.request.schema.name.replace(/Request$/, '');
      if (type !== 'MSG' || set?.service !== service) {
        send(type, answer, message, done);
        return;
      }
      const sent = set.twist(answer, message.request);
      if (sent === answer) {
        send(type, answer, message, done);
        return;
      }
      must(client !== undefined, 'a client');
      this.twisted.set(client, (this.twisted.get(client) ?? 0) + 1);
      if (sent === 'nothing') return;
      if (sent === 'twice') {
        send(type, answer, message);
        send(type, answer, message, done);
      } else if ('laterMs' in sent) {
        const late = setTimeout(() => {
          send(type, answer, message, done);
        }, sent.laterMs);
        late.unref();
      } else send(type, sent, message, done);
    };
  }
}
