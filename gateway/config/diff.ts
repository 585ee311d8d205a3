import type { Config, ConfigDiff } from './model.js';

export type { ConfigDiff } from './model.js';

/** What must be restarted, begun or ended to get from one configuration to another. */
export function diffConfigs(from: Config, to: Config): ConfigDiff {
  const links = compare(from.links, to.links);
  const sinks = compare(from.sinks, to.sinks);
  return {
    linksAdded: links.added,
    linksRemoved: links.removed,
    linksChanged: links.changed,
    sinksAdded: sinks.added,
    sinksRemoved: sinks.removed,
    sinksChanged: sinks.changed,
    // Not the files: a rule that moved to another file is the same rule.
    rulesChanged: text(from.rules.map(({ rule }) => rule)) !== text(to.rules.map((r) => r.rule)),
    writesChanged: writesText(from) !== writesText(to),
    restart: restartKeys(from, to),
  };
}

interface Hashed {
  readonly name: string;
  readonly hash: string;
}

function compare(
  from: readonly Hashed[],
  to: readonly Hashed[],
): { added: string[]; removed: string[]; changed: string[] } {
  const before = new Map(from.map(({ name, hash }) => [name, hash]));
  const after = new Map(to.map(({ name, hash }) => [name, hash]));
  return {
    added: [...after.keys()].filter((name) => !before.has(name)),
    removed: [...before.keys()].filter((name) => !after.has(name)),
    changed: [...after].flatMap(([name, hash]) =>
      before.has(name) && before.get(name) !== hash ? [name] : [],
    ),
  };
}

function text(value: unknown): string {
  return JSON.stringify(value);
}

function writesText({ writes }: Config): string {
  const permits = [...writes.values()].map((permit) => ({ ...permit, allow: [...permit.allow] }));
  return text(permits.sort((a, b) => (a.tag < b.tag ? -1 : 1)));
}

/** What is taken up only when the process starts. */
function restartKeys(from: Config, to: Config): string[] {
  const keys = (config: Config): [string, unknown][] => {
    const { gateway, journal, control, state } = config;
    return [
      ['gateway.id', gateway.id],
      ['gateway.site', gateway.site],
      ['gateway.language', gateway.language],
      ['journal.path', journal.path],
      ['journal.size', journal.sizeBytes],
      ['journal.age', journal.age],
      ['journal.freeDisk', journal.freeDisk],
      ['journal.history.keep', journal.historyKeep],
      ['journal.window', journal.window],
      ['control.socket', control],
      ['gateway.state', state],
    ];
  };
  const after = new Map(keys(to));
  return keys(from).flatMap(([key, value]) => (after.get(key) === value ? [] : [key]));
}
