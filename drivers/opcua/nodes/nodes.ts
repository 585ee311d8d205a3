import type { NodeRef } from '../plan/address.js';
import type { MonoMs } from '../../../gateway/contract/index.js';
import type { PathTarget, UaSession } from '../service/client.js';
import { nowhere } from './refusals.js';

/** How long a path that leads nowhere is not asked for again: first, doubling, and at most. */
const nowhereFirstMs = 1_000;
const nowhereMostMs = 600_000;

/** What a server says of a path, where its own word does not help. */
const meanings: ReadonlyMap<string, string> = new Map([
  ['Good', nowhere],
  ['BadNoMatch', nowhere],
  ['BadBrowseNameDuplicated', 'several nodes have this path'],
]);

/** Where a path leads: to a node, or nowhere until it is asked for again. */
interface Known {
  readonly nodeId: string | undefined;
  readonly why: string;
  readonly rest: number;
  readonly askedAt: number;
}

/**
 * Node ids of this session: indexes of namespaces move from one start of a server to the next, so they are
 * looked up by their URIs at each connect.
 */
export class Nodes {
  readonly #session: UaSession;
  readonly #indexes: ReadonlyMap<string, number>;
  readonly #now: () => MonoMs;
  readonly #byPath = new Map<string, Known>();
  /** What the server gave for nodes that were registered. */
  readonly #registered = new Map<string, string>();

  private constructor(session: UaSession, uris: readonly string[], now: () => MonoMs) {
    this.#session = session;
    this.#now = now;
    // Of a URI that stands there twice, neither is meant.
    this.#indexes = new Map(
      uris.flatMap((uri, index) =>
        uris.indexOf(uri) === uris.lastIndexOf(uri) ? [[uri, index] as const] : [],
      ),
    );
  }

  static async of(session: UaSession, now: () => MonoMs): Promise<Nodes> {
    return new Nodes(session, await session.namespaces(), now);
  }

  /** Why there is no id for a node, in the server's words where it said so. */
  whyNot(node: NodeRef): string {
    const steps = node.kind === 'path' ? this.#stepsOf(node) : undefined;
    return (steps && this.#byPath.get(keyOf(steps))?.why) ?? nowhere;
  }

  /** The ids of these nodes, in their order; undefined for one that the server does not have. */
  async find(nodes: readonly NodeRef[]): Promise<readonly (string | undefined)[]> {
    const unknown = new Map<string, readonly { ns: number; name: string }[]>();
    for (const node of nodes) {
      const steps = node.kind === 'path' ? this.#stepsOf(node) : undefined;
      const key = steps && keyOf(steps);
      if (steps && key !== undefined && this.#mustAsk(key)) unknown.set(key, steps);
    }
    await this.#translate(unknown);
    return nodes.map((node) => this.#idOf(node));
  }

  /** As {@link find}, for nodes that are asked for often: registered with the server. */
  async registered(nodes: readonly NodeRef[]): Promise<readonly (string | undefined)[]> {
    const ids = await this.find(nodes);
    const fresh = [...new Set(ids)].filter((id) => id !== undefined && !this.#registered.has(id));
    if (fresh.length > 0) {
      const given = await this.#session.register(fresh as string[]);
      fresh.forEach((id, at) => this.#registered.set(id as string, given[at] ?? (id as string)));
    }
    return ids.map((id) => id && this.#registered.get(id));
  }

  async #translate(
    paths: ReadonlyMap<string, readonly { ns: number; name: string }[]>,
  ): Promise<void> {
    const keys = [...paths.keys()];
    if (keys.length === 0) return;
    const targets = await this.#session.translate([...paths.values()]);
    keys.forEach((key, at) => this.#learn(key, targets[at]));
  }

  /** What is not there, or was not told, may be there later. */
  #mustAsk(key: string): boolean {
    const known = this.#byPath.get(key);
    if (!known) return true;
    return known.nodeId === undefined && this.#now() >= known.askedAt + known.rest;
  }

  #learn(key: string, target: PathTarget | undefined): void {
    const last = this.#byPath.get(key)?.rest;
    const rest = last === undefined ? nowhereFirstMs : Math.min(nowhereMostMs, last * 2);
    const { nodeId, statusCode } = target ?? { nodeId: undefined, statusCode: undefined };
    const why = meanings.get(statusCode?.name ?? '') ?? statusCode?.name ?? nowhere;
    this.#byPath.set(key, { nodeId, why, rest, askedAt: this.#now() });
  }

  #idOf(node: NodeRef): string | undefined {
    if (node.kind === 'path') {
      const steps = this.#stepsOf(node);
      return steps && this.#byPath.get(keyOf(steps))?.nodeId;
    }
    const ns = this.#indexOf(node);
    return ns === undefined ? undefined : ns === 0 ? node.id : `ns=${String(ns)};${node.id}`;
  }

  #stepsOf({
    steps,
  }: Extract<NodeRef, { kind: 'path' }>): readonly { ns: number; name: string }[] | undefined {
    const known = steps.map((step) => ({ ns: this.#indexOf(step) ?? -1, name: step.name }));
    return known.every(({ ns }) => ns >= 0) ? known : undefined;
  }

  #indexOf({
    uri,
    ns,
  }: {
    readonly uri: string | undefined;
    readonly ns: number;
  }): number | undefined {
    return uri === undefined ? ns : this.#indexes.get(uri);
  }
}

function keyOf(steps: readonly { ns: number; name: string }[]): string {
  return JSON.stringify(steps);
}
