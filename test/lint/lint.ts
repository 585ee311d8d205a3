import t from 'tap';
import { join } from 'node:path';
import { run } from '../support/child.js';
import { root } from '../tidy/repository.js';

/** A tool of the repository is content with it. In a process of its own, beside the other tests: it takes a core for a minute. */
export function isContent(tool: string, script: string, ...args: string[]): void {
  void t.test(`${tool} has nothing to say`, { timeout: 600_000 }, async (t) => {
    const path = join(root, 'node_modules', script);
    const { code, stdout, stderr } = await run([path, ...args, '.'], { cwd: root });
    t.equal(`${stdout}${stderr}`.trim(), '');
    t.equal(code, 0);
  });
}
