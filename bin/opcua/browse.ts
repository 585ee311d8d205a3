import { stringify } from 'yaml';
import { freeName, type FoundTag, parseNumber } from '../../gateway/contract/index.js';
import { tagsOf } from '../../drivers/opcua/survey/describe.js';
import { walk, type Found } from '../../drivers/opcua/survey/tree.js';
import type { BrowseOptions } from '../commands/opcua.js';
import { Exit } from '../exit.js';
import { CliError, print, printJson, printAside } from '../output.js';
import { idsOf, withClient, type UaClient } from './client.js';

const objectsFolder = 'i=85';

/** `millrace opcua browse` */
export async function browseCommand(
  options: BrowseOptions,
  url: string,
  node: string | undefined,
): Promise<void> {
  const depth = countOf(options.depth, '--depth');
  const most = countOf(options.most, '--most');
  await withClient(options, url, async (client) => {
    const [from = objectsFolder] = node === undefined ? [] : await idsOf(client, [node]);
    const all = await walk(client.session, from, {
      depth,
      most,
      onProgress: showProgress,
      onRefused: (path, why) => printAside(`not looked into: ${path} (${why})`),
    });
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    const wanted = all.filter(
      ({ path, kind }) =>
        options.filter === undefined ||
        (kind === 'variable' && path.toLowerCase().includes(options.filter.toLowerCase())),
    );
    if (options.yaml) print(await deviceBlock(client, wanted));
    else if (options.json)
      printJson(wanted.map(({ nodeId, path, kind }) => ({ path, nodeId, kind })));
    else for (const one of wanted) print(lineOf(one, options.filter !== undefined));
    if (all.length >= most)
      printAside(`only the first ${String(most)} nodes; see --most, --depth and NODE`);
  });
}

/** So many, of the command line. */
export function countOf(text: string, option: string): number {
  const count = parseNumber(text) ?? NaN;
  if (Number.isInteger(count) && count > 0) return count;
  throw new CliError(`${option} is no number: ${text}`, '', Exit.usage);
}

/** Shows how far it is where somebody sees it. */
function showProgress(count: number): void {
  if (process.stderr.isTTY && count % 50 === 0) process.stderr.write(`\r${String(count)} nodes …`);
}

function lineOf({ nodeId, name, kind, depth, path }: Found, flat: boolean): string {
  const mark = kind === 'variable' ? '' : kind === 'method' ? '()' : '/';
  return flat ? `${path}  ${nodeId}` : `${'  '.repeat(depth)}${name}${mark}  ${nodeId}`;
}

/** The variables as tags of one device; those of a type that no tag has are left out, and named. */
async function deviceBlock({ session }: UaClient, found: readonly Found[]): Promise<string> {
  const { tags, remarks } = await tagsOf(session, found, ({ name }) => name);
  remarks.forEach(printAside);
  const byName = new Map<string, FoundTag['keys']>();
  for (const { name, keys } of tags)
    byName.set(
      freeName(name, (one) => byName.has(one)),
      keys,
    );
  return stringify({ devices: { DEVICE: { tags: Object.fromEntries(byName) } } }, { lineWidth: 0 });
}
