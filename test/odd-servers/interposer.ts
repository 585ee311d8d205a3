import type { OPCUAServer } from 'node-opcua';
import { must } from '../support/must.js';

/** An answer of a server, as its library is about to send it. */
export interface Answer {
  readonly schema: { readonly name: string };
  responseHeader: { serviceResult: unknown; timestamp: Date | null; requestHandle: number };
  results?: unknown[] | null;
}

interface Message {
  readonly request: Readonly<Record<string, unknown>> & {
    readonly schema: { readonly name: string };
  };
}

/** What is sent instead: this answer, another one, several, none; or later. */
export type Twist = (answer: Answer, request: Message['request']) => Twisted;
export type Twisted = Answer | 'nothing' | 'twice' | { readonly laterMs: number };

interface Channel {
  send_response(type: string, answer: Answer, message: Message, done?: () => void): void;
}

/** Stands between a server and its wires, and twists answers to single clients. */
export class Interposer {
  readonly #twists = new Map<string, { readonly service: string; readonly twist: Twist }>();
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

  #stand(channel: Channel): void {
    const send = channel.send_response.bind(channel);
    let client: string | undefined;
    channel.send_response = (type, answer, message, done) => {
      const { endpointUrl } = message.request;
      if (typeof endpointUrl === 'string') client = new URL(endpointUrl).pathname;
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
