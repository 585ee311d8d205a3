import type { Expr, Fields } from '../fields.js';
import type { Sink } from '../problems.js';
import { present, readSetting, type Base, type Common, type SettingDraft } from './common.js';

export interface ShedStepDraft extends SettingDraft {
  /** Shortest and longest time off, ms. */
  readonly minOff: number;
  readonly maxOff: number;
}
export interface ShedDraft extends Common {
  readonly kind: 'shed';
  readonly start: Expr | undefined;
  readonly restore: Expr | undefined;
  readonly steps: readonly ShedStepDraft[];
  /** Between two steps, either way: time for the load to show, ms. */
  readonly interval: number;
}

const usualInterval = 60_000;

export function readShed(f: Fields, base: Base, sink: Sink): ShedDraft {
  const start = f.required('start', f.expression('start'), 'start: SITE.demand > 1850 kW for 20s');
  const restore = f.required(
    'restore',
    f.expression('restore'),
    'restore: SITE.demand < 1700 kW for 3min',
  );
  const interval = f.duration('interval') ?? usualInterval;
  const steps = readSteps(f, sink);
  return {
    ...base,
    kind: 'shed',
    start,
    restore,
    steps,
    interval,
    exprs: present([start, restore]),
  };
}

function readSteps(list: Fields, sink: Sink): readonly ShedStepDraft[] {
  const raw = list.raw('steps');
  if (!Array.isArray(raw) || raw.length === 0) {
    sink.report(['steps'], 'steps is a list of what to switch off, first to last');
    return [];
  }
  const steps: ShedStepDraft[] = [];
  const example = '{set: AHU7.enable, to: false, min_off: 10min}';
  for (const f of list.maps('steps', { message: 'a step is a map', example })) {
    const setting = readSetting(f, 'AHU7.enable');
    f.choice('level', ['shed']);
    const minOff = f.duration('min_off') ?? 0;
    const maxOff = f.duration('max_off') ?? Infinity;
    if (maxOff < minOff) sink.report([...f.path, 'max_off'], 'max_off is shorter than min_off');
    f.done();
    if (setting) steps.push({ ...setting, minOff, maxOff });
  }
  return steps;
}
