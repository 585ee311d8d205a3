import type { ConfigDiff, RunningConfig } from './model.js';

export type { ConfigDiff } from './model.js';

/** What must be restarted, begun or ended to get from one configuration to another. */
export function diffConfigs(from: RunningConfig, to: RunningConfig): ConfigDiff {
  const links = compare(from.links, to.links);
  const sinks = compare(from.sinks, to.sinks);
  return {
    linksAdded: links.added,
    linksRemoved: links.removed,
    linksChanged: links.changed,
    sinksAdded: sinks.added,
    sinksRemoved: sinks.removed,
    sinksChanged: sinks.changed,
    rulesChanged: from.rulesHash !== to.rulesHash,
    writesChanged: from.writesHash !== to.writesHash,
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

/** What is taken up only when the process starts. */
function restartKeys(from: RunningConfig, to: RunningConfig): string[] {
  const keys = (config: RunningConfig): [string, unknown][] => {
    const { gateway, journal, control, sockets, state } = config;
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
      // Those of the first one move with it.
      [
        'control.sockets',
        JSON.stringify(sockets.map(({ name, may, roles }) => [name, may, roles])),
      ],
      ['gateway.state', state],
    ];
  };
  const after = new Map(keys(to));
  return keys(from).flatMap(([key, value]) => (after.get(key) === value ? [] : [key]));
}
