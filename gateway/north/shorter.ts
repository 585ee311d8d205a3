/**
 * What stands on retained topics with less in it, for brokers that do not take the whole. `"cut": true` says so. Positions in a
 * dictionary stay what they are.
 */
type Shorter = readonly (() => string)[];

interface Health {
  readonly v: number;
  readonly ts: number;
  readonly level: string;
  readonly checks: readonly { readonly level: string }[];
}
interface Meta {
  readonly tags: readonly Readonly<Record<string, unknown>>[];
}

/** Without descriptions, spans and names of values; then names alone. */
export function shorterMeta(json: string): Shorter {
  return [['name', 'type', 'unit', 'group'], ['name']].map((keys) => () => {
    const { tags, ...rest } = JSON.parse(json) as Meta;
    return JSON.stringify({ ...rest, cut: true, tags: tags.map((tag) => only(tag, keys)) });
  });
}

/** Only checks that are not ok; then none. */
export function shorterHealth(json: string): Shorter {
  const cut = (checks: (all: Health['checks']) => Health['checks']) => (): string => {
    const { v, ts, level, checks: all } = JSON.parse(json) as Health;
    return JSON.stringify({ v, ts, level, cut: true, checks: checks(all) });
  };
  return [cut((all) => all.filter(({ level }) => level !== 'ok')), cut(() => [])];
}

/** Without devices and notices. */
export function shorterLink(json: string): Shorter {
  return [
    () => {
      const report = JSON.parse(json) as Readonly<Record<string, unknown>>;
      const keys = ['link', 'state', 'since', 'driver', 'endpoint', 'error'];
      return JSON.stringify({ ...only(report, keys), cut: true });
    },
  ];
}

function only(
  all: Readonly<Record<string, unknown>>,
  keys: readonly string[],
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(keys.filter((key) => key in all).map((key) => [key, all[key]]));
}
