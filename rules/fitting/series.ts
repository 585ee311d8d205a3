import { isBad, Quality } from '../../gateway/contract/index.js';
import type { TagLookup } from '../outputs.js';
import type { RuleProgram } from '../program.js';
import { type ReplaySample } from '../testing/replay.js';
import { TestRig } from '../testing/rig.js';

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
  program: RuleProgram,
  lookup: TagLookup,
  samples: readonly ReplaySample[],
  names: readonly string[],
): Series {
  const from = samples[0]?.at ?? 0;
  const rig = new TestRig(program, lookup, { epoch: from, deaf: true });
  const places = names.map((name) => rig.positionOf(name) ?? -1);
  const rows: number[][] = [];
  for (let i = 0; i < samples.length;) {
    const at = samples[i]?.at ?? 0;
    rig.advance(at - from);
    for (; i < samples.length && samples[i]?.at === at; i++) {
      const sample = samples[i] as ReplaySample;
      rig.put(sample.tag, sample.value, sample.quality);
    }
    rig.scan();
    rows.push(
      places.map((place) => {
        const quality = rig.image.qualities[place] ?? Quality.internal;
        return isBad(quality) ? NaN : (rig.image.numbers[place] ?? NaN);
      }),
    );
  }
  const unitOf = (name: string): string | undefined =>
    lookup.find(name)?.unit ?? program.signals.find((one) => one.name === name)?.unit;
  return { names, units: names.map(unitOf), rows };
}
