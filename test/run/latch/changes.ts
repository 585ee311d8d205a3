/** Everything that may become of the text of a tripped rule, of its outputs and of its permissions. */

/** A rule as YAML gives it. */
export type Rule = Readonly<Record<string, unknown>>;

/** What a configuration consists of here. */
export interface Text {
  readonly rules: readonly Rule[];
  /** Outputs of the device by name, with their addresses. */
  readonly tags: Readonly<Record<string, number>>;
  /** Outputs that rules may write. */
  readonly writable: readonly string[];
}

export const kinds = ['interlock', 'group', 'matrix', 'shed'] as const;
export type Kind = (typeof kinds)[number];

/** What is to become of the order: all of it goes on, all or a part has no rule any more, it cannot be written. */
export type Fate = 'adopted' | 'orphan' | 'part' | 'unheld';
export interface Change {
  readonly name: string;
  readonly kinds: readonly Kind[];
  readonly fate: Fate;
  /** Another rule demands the opposite: a reload is refused whoever asks for it. */
  readonly isDenied?: true;
  change(text: Text, kind: Kind): Text;
}

const reset = 'rising(S.t9)';
type Effect = readonly [output: string, value: boolean];
const both: readonly Effect[] = [
  ['P.t2', false],
  ['P.t4', false],
];

interface Shape {
  readonly id?: string;
  readonly limit?: number;
  readonly effects?: readonly Effect[];
  readonly level?: string;
  readonly more?: Rule;
}

/** The rule of a kind: it trips when S.t1 is above its limit, and holds P.t2 and P.t4. */
export function ruleOf(kind: Kind, shape: Shape = {}): Rule {
  const { id = 'T', limit = 10, effects = both, level = 'trip', more = {} } = shape;
  const cause = `S.t1 > ${String(limit)} bar`;
  const settings = effects.map(([set, to]) => ({ set, to }));
  switch (kind) {
    case 'interlock':
      return {
        interlock: id,
        cause,
        reset,
        effects: settings.map((one) => ({ ...one, level })),
        ...more,
      };
    case 'group':
      return {
        group: id,
        causes: { high: cause },
        reset,
        effects: settings.map((one) => ({ ...one, level })),
        ...more,
      };
    case 'matrix': {
      const head = ['cause', 'expr', ...effects.map(([set, to]) => `${set}=${String(to)}`)];
      const mark = more['latch'] === 'auto' ? 'N' : 'L';
      const rows = [head, [id, cause, ...effects.map(() => mark)]];
      return { matrix: 'M', reset, rows };
    }
    case 'shed':
      return {
        shed: id,
        start: cause,
        restore: 'S.t1 < 2 bar',
        interval: '100ms',
        steps: settings.map((one) => ({ ...one, min_off: '5s' })),
        ...more,
      };
  }
}

export function baseOf(kind: Kind): Text {
  return {
    rules: [ruleOf(kind)],
    tags: { t2: 2, t4: 4, t5: 5 },
    writable: ['P.t2', 'P.t4', 'P.t5'],
  };
}

const trips: readonly Kind[] = ['interlock', 'group'];
const latching: readonly Kind[] = ['interlock', 'group', 'matrix'];

function withRule(shape: Shape): Change['change'] {
  return (text, kind) => ({ ...text, rules: [ruleOf(kind, shape)] });
}

export const changes: readonly Change[] = [
  { name: 'another limit', kinds, fate: 'adopted', change: withRule({ limit: 20 }) },
  {
    name: 'an effect more',
    kinds: trips,
    fate: 'adopted',
    change: withRule({ effects: [...both, ['P.t5', false]] }),
  },
  {
    name: 'the tag of an output has another name',
    kinds,
    fate: 'adopted',
    change: (text, kind) => ({
      ...text,
      tags: { t7: 2, t4: 4, t5: 5 },
      writable: ['P.t7', 'P.t4', 'P.t5'],
      rules: [
        ruleOf(kind, {
          effects: [
            ['P.t7', false],
            ['P.t4', false],
          ],
        }),
      ],
    }),
  },
  { name: 'an effect less', kinds, fate: 'part', change: withRule({ effects: [['P.t4', false]] }) },
  { name: 'no effects', kinds: trips, fate: 'orphan', change: withRule({ effects: [] }) },
  {
    name: 'another value',
    kinds,
    fate: 'part',
    isDenied: true,
    change: withRule({
      effects: [
        ['P.t2', true],
        ['P.t4', false],
      ],
    }),
  },
  {
    name: 'another level',
    kinds: trips,
    fate: 'orphan',
    change: withRule({ level: 'interlock' }),
  },
  {
    name: 'latch: auto',
    kinds: latching,
    fate: 'orphan',
    change: (text, kind) => {
      const { reset: none, ...rule } = ruleOf(kind, { more: { latch: 'auto' } });
      return { ...text, rules: [kind === 'matrix' ? { ...rule, reset: none } : rule] };
    },
  },
  { name: 'renamed', kinds, fate: 'orphan', change: withRule({ id: 'T2' }) },
  { name: 'removed', kinds, fate: 'orphan', change: (text) => ({ ...text, rules: [] }) },
  {
    name: 'mode: off',
    kinds: [...trips, 'shed'],
    fate: 'orphan',
    change: withRule({ more: { mode: 'off' } }),
  },
  {
    name: 'mode: shadow',
    kinds: [...trips, 'shed'],
    fate: 'orphan',
    change: withRule({ more: { mode: 'shadow' } }),
  },
  {
    name: 'an alarm of that name',
    kinds: [...trips, 'shed'],
    fate: 'orphan',
    change: (text) => ({
      ...text,
      rules: [{ alarm: 'T', when: 'S.t1 > 10 bar', priority: 'low' }],
    }),
  },
  {
    name: 'another rule demands the opposite',
    kinds: latching,
    fate: 'orphan',
    isDenied: true,
    change: (text) => ({
      ...text,
      rules: [{ interlock: 'OTHER', cause: 'S.t1 > 10 bar', effects: [{ set: 'P.t2', to: true }] }],
    }),
  },
  {
    name: 'another point behind the name',
    kinds,
    fate: 'unheld',
    change: (text) => ({ ...text, tags: { ...text.tags, t2: 6 } }),
  },
  {
    name: 'no permission any more',
    kinds,
    fate: 'unheld',
    change: (text) => ({ ...text, rules: [], writable: ['P.t4', 'P.t5'] }),
  },
  {
    name: 'the tag is gone',
    kinds,
    fate: 'unheld',
    change: (text) => ({
      ...text,
      tags: { t4: 4, t5: 5 },
      writable: ['P.t4', 'P.t5'],
      rules: [],
    }),
  },
];
