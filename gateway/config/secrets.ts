import { asGatewayError } from '../contract/index.js';
import type { Session } from './session.js';
import { didYouMean } from './suggest.js';
import {
  eachScalar,
  mapScalars,
  plain,
  type Node,
  type Path,
  type Plain,
  type Ref,
} from './tree.js';

const placeholder = /\$\{([^}]*)\}/g;
const secretName = /^secret:([A-Za-z0-9][A-Za-z0-9_.-]{0,127})$/;

/** The pieces of a text between `${` and `}`. */
export function placeholders(text: string): string[] {
  if (!text.includes('${')) return [];
  return [...text.matchAll(placeholder)].map((match) => match[1] ?? '');
}

/** The secrets that a configuration refers to. They are never shown and only hashed into hashes. */
export class Secrets {
  readonly #values = new Map<string, string>();
  readonly #host: Session['host'];

  private constructor(session: Session) {
    this.#host = session.host;
  }

  /** Asks the host for every secret below `refs`; what is missing becomes a problem at its place. */
  static async fetch(session: Session, refs: readonly Ref[]): Promise<Secrets> {
    const secrets = new Secrets(session);
    const wanted = new Map<string, Ref[]>();
    for (const ref of refs) {
      if (!ref.node) continue;
      eachScalar(ref.node, ({ value }, path) => {
        if (typeof value === 'string' && value.includes('${'))
          for (const name of namesIn(session, ref, path, value))
            wanted.set(name, [...(wanted.get(name) ?? []), ref.descend(path)]);
      });
    }
    for (const [name, users] of wanted) {
      const value = await ask(session, name, users);
      if (value === undefined) continue;
      secrets.#values.set(name, value);
      session.digest(`secret ${name}`, value);
    }
    return secrets;
  }

  /** The plain value with its secrets filled in. */
  plain(node: Node): Plain {
    return plain(mapScalars(node, (scalar) => this.#fill(scalar)));
  }

  fill(text: string): string {
    return text.replace(placeholder, (whole, inside: string) => {
      const name = secretName.exec(inside)?.[1];
      return (name === undefined ? undefined : this.#values.get(name)) ?? whole;
    });
  }

  #fill<S extends { readonly value: Plain }>(scalar: S): S {
    const { value } = scalar;
    if (typeof value !== 'string' || !value.includes('${')) return scalar;
    return { ...scalar, value: this.fill(value) };
  }

  /** Stands for the secrets below a node in a hash. */
  fingerprint(node: Node): string {
    const parts: string[] = [];
    eachScalar(node, ({ value }) => {
      if (typeof value !== 'string') return;
      for (const inside of placeholders(value)) {
        const found = this.#values.get(secretName.exec(inside)?.[1] ?? '');
        parts.push(found === undefined ? '' : this.#host.hash(found));
      }
    });
    return parts.join(' ');
  }

  /**
   * Does a text that somebody else wrote (a driver, about what it was given) show part of a secret?
   * Any five characters in a row count: messages cut long values short.
   */
  isShownIn(text: string): boolean {
    for (const value of this.#values.values()) {
      const run = Math.min(5, value.length);
      if (run === 0) continue;
      for (let i = 0; i + run <= text.length; i += 1)
        if (value.includes(text.slice(i, i + run))) return true;
    }
    return false;
  }
}

function namesIn(session: Session, root: Ref, path: Path, value: string): string[] {
  const found: string[] = [];
  if (value.replace(placeholder, '').includes('${'))
    session.problems.error(root.descend(path), 'a placeholder ${ is not closed', 'add the }');
  for (const inside of placeholders(value)) {
    const name = secretName.exec(inside)?.[1];
    if (name !== undefined) found.push(name);
    else
      session.problems.error(
        root.descend(path),
        `unknown placeholder "\${${inside}}"`,
        didYouMean(inside.split(':')[0] ?? '', ['secret'], 'secrets are written ${secret:NAME}'),
      );
  }
  return found;
}

async function ask(
  { host, problems }: Session,
  name: string,
  users: readonly Ref[],
): Promise<string | undefined> {
  let message = `the secret "${name}" is not provided`;
  try {
    const value = await host.secret(name);
    if (value !== undefined) return value;
  } catch (thrown) {
    message = `the secret "${name}" cannot be read: ${asGatewayError(thrown).message}`;
  }
  for (const ref of users) problems.error(ref, message, 'see "Secrets" in docs/configuration.md');
  return undefined;
}
