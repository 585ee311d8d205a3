import { asGatewayError } from '../contract/index.js';
import type { ConfigHost } from './model.js';
import { parseYaml } from './parse.js';
import { Problems } from './problems.js';
import type { Node, Ref, SourceFile } from './tree.js';

/** One run of the loader: what was read so far, and what is wrong with it. */
export class Session {
  readonly host: ConfigHost;
  readonly problems: Problems = new Problems();
  readonly #main: string;
  /** All files that were read, in order. */
  readonly files: string[] = [];
  /** What the revision is made of: hashes only, so that no secret can be guessed from it. */
  readonly #digests: string[] = [];

  /** @param main the file in whose folder the configuration lies */
  constructor(host: ConfigHost, main: string) {
    this.host = host;
    this.#main = main;
  }

  /** A file that the configuration names; undefined with a problem at `ref`, which names it. */
  async source(path: string, ref: Ref): Promise<Omit<SourceFile, 'lines'> | undefined> {
    let text: string;
    try {
      text = await this.host.readText(path);
    } catch (thrown) {
      const { message, advice } = asGatewayError(thrown);
      const why = message.includes(path) ? message : `${path}: ${message}`;
      this.problems.error(ref, `cannot read ${why}`, advice);
      return undefined;
    }
    if (!this.files.includes(path)) this.files.push(path);
    this.digest(`file ${path}`, text);
    return { path, text, isForeign: !(await this.host.isOwn(this.#main, path)) };
  }

  /** The text of a file; undefined with a problem. */
  async read(path: string, ref: Ref): Promise<string | undefined> {
    return (await this.source(path, ref))?.text;
  }

  /** The content of a YAML file; undefined with a problem, or without one when it is empty. */
  async tree(path: string, ref: Ref): Promise<Node | undefined> {
    const source = await this.source(path, ref);
    return source && parseYaml(source, this.problems);
  }

  digest(what: string, content: string): void {
    this.#digests.push(`${what} ${this.host.hash(content)}`);
  }

  revision(): string {
    return this.host.hash(this.#digests.join('\n')).slice(0, 12);
  }

  /** Files that `ref` names, `*` and `?` allowed; a problem when there is none. */
  async match(ref: Ref): Promise<readonly string[]> {
    const typed = ref.text;
    if (typed === undefined) return [];
    const pattern = this.host.resolve(ref.at.file.path, typed);
    let found: readonly string[];
    try {
      found = await this.host.glob(pattern);
    } catch (thrown) {
      const { message } = asGatewayError(thrown);
      this.problems.error(ref, `cannot look for ${pattern}: ${message}`);
      return [];
    }
    if (found.length === 0)
      this.problems.error(ref, `no file matches ${typed}`, `looked for ${pattern}`);
    return found;
  }
}
