import type { GatewayConfig } from './model.js';
import type { Secrets } from './secrets.js';
import type { Session } from './session.js';
import { didYouMean } from './suggest.js';
import type { Ref } from './tree.js';

const longestRoot = 200;

/** The topic root of a sink with its placeholders filled in. */
export function topicRoot(
  session: Session,
  secrets: Secrets,
  ref: Ref,
  gateway: GatewayConfig,
  sink: string,
): string {
  const { problems } = session;
  const values: ReadonlyMap<string, string | undefined> = new Map([
    ['gateway.id', gateway.id],
    ['gateway.site', gateway.site],
    ['sink', sink],
  ]);
  const template = secrets.fill(ref.text ?? 'edge/{gateway.id}');
  const before = problems.errors;
  const root = template.replace(/\{([^{}]*)\}/g, (whole, name: string) => {
    const value = values.get(name);
    if (value !== undefined) return value;
    if (values.has(name))
      problems.error(ref, `${whole} is not set`, 'add site: under gateway:, or leave it out here');
    else
      problems.error(
        ref,
        `unknown placeholder ${whole}`,
        didYouMean(name, [...values.keys()], 'there are'),
      );
    return 'x';
  });
  if (problems.errors > before) return root;
  const wrong = topicProblem(root);
  if (wrong !== undefined)
    problems.error(ref, `not a topic: ${wrong}`, 'write it like edge/{gateway.id}');
  return root;
}

function topicProblem(root: string): string | undefined {
  if (/[+#]/.test(root)) return '+ and # are for subscriptions';
  if (/[\p{Cc}\s]/u.test(root)) return 'it has white space in it';
  if (/[{}]/.test(root)) return 'a brace is not closed';
  if (root.startsWith('$')) return 'topics with $ belong to the broker';
  if (root.split('/').includes('')) return 'a level between two / is empty';
  return root.length > longestRoot ? `longer than ${longestRoot} characters` : undefined;
}
