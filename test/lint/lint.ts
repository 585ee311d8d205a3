import t from 'tap';
import { run } from '../support/child.js';
import { root } from '../tidy/repository.js';

/**
 * A script of `package.json` is content with the repository. In a process of its own, beside the other tests: it takes a core for a
 * minute the first time, and little afterwards, when it looks at what has changed.
 */
export function isContent(script: string): void {
  void t.test(`${script} has nothing to say`, { timeout: 600_000 }, async (t) => {
    const args = ['run', '--silent', script];
    const { code, stdout, stderr } = await run(args, { cwd: root, program: 'npm' });
    t.equal(`${stdout}${stderr}`.trim(), '');
    t.equal(code, 0);
  });
}
