import type { NodeRef } from './address.js';
import type { UaSession } from './client.js';

/**
 * Node ids of this session: indexes of namespaces move from one start of a server to the next, so they are
 * looked up by their URIs at each connect.
 */
export class Nodes {
  readonly #session: UaSession;
  readonly #indexes: ReadonlyMap<string, number>;
  readonly #byPath = new Map<string, string | undefined>();
  /** What the server gave for nodes that were registered. */
  readonly #registered = new Map<string, string>();

  private constructor(session: UaSession, uris: readonly string[]) {
    this.#session = session;
    // Of a URI that stands there twice, neither is meant.
    this.#indexes = new Map(
      uris.flatMap((uri, index) =>
        uris.indexOf(uri) === uris.lastIndexOf(uri) ? [[uri, index] as const] : [],
      ),
    );
  }

  static async of(session: UaSession): Promise<Nodes> {
    return new Nodes(session, await session.namespaces());
  }

  /** The ids of these nodes, in their order; undefined for one that the server does not have. */
  async find(nodes: readonly NodeRef[]): Promise<readonly (string | undefined)[]> {
    const unknown = new Map<string, readonly { ns: number; name: string }[]>();
    for (const node of nodes) {
      const steps = node.kind === 'path' ? this.#stepsOf(node) : undefined;
      const key = steps && keyOf(steps);
      if (steps && key !== undefined && !this.#byPath.has(key)) unknown.set(key, steps);
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
    keys.forEach((key, at) => this.#byPath.set(key, targets[at]?.nodeId));
  }

  #idOf(node: NodeRef): string | undefined {
    if (node.kind === 'path') {
      const steps = this.#stepsOf(node);
      return steps && this.#byPath.get(keyOf(steps));
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
