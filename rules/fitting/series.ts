import { isBad, Quality, type TagLookup } from '../../gateway/contract/index.js';
import type { CompiledProgram } from '../program/program.js';
import { play, rigFor, type ReplaySample } from '../proving/replay.js';

/** Values of several tags and signals at the same times; NaN where one was bad. */
export interface Series {
  readonly names: readonly string[];
  /** Unit of each; undefined = none. */
  readonly units: readonly (string | undefined)[];
  /** One row a time, one number a name. */
  readonly rows: readonly (readonly number[])[];
}

/** Runs the rules over recorded samples and reads these names at every time at which something arrived. */
export function seriesOf(
  program: CompiledProgram,
  lookup: TagLookup,
  samples: readonly ReplaySample[],
  names: readonly string[],
): Series {
  const rig = rigFor(program, lookup, samples);
  const places = names.map((name) => rig.positionOf(name) ?? -1);
  const rows: number[][] = [];
  const put = ({ tag, value, quality }: ReplaySample): void => rig.put(tag, value, quality);
  const read = (place: number): number => {
    const quality = rig.image.qualities[place] ?? Quality.internal;
    return isBad(quality) ? NaN : (rig.image.numbers[place] ?? NaN);
  };
  const scans = play(rig, samples, put);
  let step = scans.next();
  while (step.done !== true) {
    step = scans.next();
    rows.push(places.map(read));
  }
  const unitOf = (name: string): string | undefined =>
    lookup.find(name)?.unit ?? program.signals.find((one) => one.name === name)?.unit;
  return { names, units: names.map(unitOf), rows };
}
