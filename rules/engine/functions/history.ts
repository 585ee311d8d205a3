import { Quality } from '../../../gateway/contract/index.js';
import type { Operand } from '../../check/function-spec.js';
import { eventful, isTrue, rises, wasTrue } from '../blocks/eventful.js';
import { keepLastTime, keepValue } from '../blocks/retained-memory.js';
import { badFrom, nextMultiple, putBool, putNumber, recall, remember } from '../blocks/slots.js';
import { aNumber, type BuiltIn } from './spec.js';

/** How often a time that runs is shown anew, ms. */
const showMs = 250;

const condition: Operand = { name: 'e', kind: 'bool' };
const reset: Operand = { name: 'reset', kind: 'bool', optional: true };

const since: BuiltIn = {
  name: 'since',
  params: [condition],
  result: { is: 's' },
  step: (s, w) => {
    const at = remember(s, NaN);
    keepLastTime(s, at, w.of[0]?.slot ?? 0);
    return eventful(s, w, (inputs, now) => {
      if (isTrue(inputs, 0) || wasTrue(inputs, 0)) {
        s.memory[at] = now;
        s.unsaved.isAny = true;
      }
      const last = recall(s, at);
      putNumber(s, w.to, (now - last) / 1000, last === last ? Quality.good : Quality.input);
      return last === last && !isTrue(inputs, 0) ? nextMultiple(now, showMs) : Infinity;
    });
  },
};

const runtime: BuiltIn = {
  name: 'runtime',
  params: [{ name: 'x', kind: 'bool' }, reset],
  result: { is: 's' },
  step: (s, w) => {
    // How long it was true so far, ms; up to when that was counted.
    const sum = remember(s, 0, NaN);
    const upTo = sum + 1;
    keepValue(s, sum);
    return eventful(s, w, (inputs, now) => {
      const before = recall(s, sum);
      if (wasTrue(inputs, 0)) s.memory[sum] = recall(s, sum) + (now - recall(s, upTo));
      s.memory[upTo] = now;
      if (w.of.length > 1 && isTrue(inputs, 1)) s.memory[sum] = 0;
      if (recall(s, sum) !== before) s.unsaved.isAny = true;
      putNumber(s, w.to, recall(s, sum) / 1000, inputs.quality(0));
      return isTrue(inputs, 0) ? nextMultiple(now, showMs) : Infinity;
    });
  },
};

const integral: BuiltIn = {
  name: 'integral',
  params: [aNumber, reset],
  result: 'total',
  amounts: true,
  step: (s, w) => {
    const sum = remember(s, 0, NaN);
    const upTo = sum + 1;
    keepValue(s, sum);
    return eventful(s, w, (inputs, now) => {
      const before = recall(s, sum);
      const isUsable = inputs.heldQuality(0) < badFrom;
      if (isUsable)
        s.memory[sum] = recall(s, sum) + (inputs.heldValue(0) * (now - recall(s, upTo))) / 1000;
      s.memory[upTo] = now;
      if (w.of.length > 1 && isTrue(inputs, 1)) s.memory[sum] = 0;
      if (recall(s, sum) !== before) s.unsaved.isAny = true;
      putNumber(s, w.to, recall(s, sum), inputs.quality(0));
      return inputs.quality(0) < badFrom && inputs.value(0) !== 0
        ? nextMultiple(now, showMs)
        : Infinity;
    });
  },
};

const ctu: BuiltIn = {
  name: 'ctu',
  params: [
    condition,
    { name: 'reset', kind: 'bool' },
    { name: 'n', kind: 'whole', from: 1, to: 1e9 },
  ],
  result: 'bool',
  step: (s, w) => {
    const count = remember(s, 0);
    keepValue(s, count);
    const goal = w.settings['n'] ?? 1;
    return eventful(s, w, (inputs) => {
      const before = recall(s, count);
      if (isTrue(inputs, 1)) s.memory[count] = 0;
      else if (rises(inputs, 0)) s.memory[count] = Math.min(goal, recall(s, count) + 1);
      const isReached = recall(s, count) >= goal;
      if (recall(s, count) !== before) s.unsaved.isAny = true;
      if (isReached !== before >= goal) s.unsaved.latched++;
      // An input that is not known could only add to what is reached already.
      const quality = isReached && inputs.quality(1) < badFrom ? Quality.good : inputs.quality(0);
      putBool(s, w.to, isReached, Math.max(quality, inputs.quality(1)));
      return Infinity;
    });
  },
};

const responds: BuiltIn = {
  name: 'responds',
  params: [
    { name: 'cmd', kind: 'bool' },
    { name: 'fb', kind: 'bool' },
    { name: 'within', kind: 'duration', label: true },
  ],
  result: 'bool',
  step: (s, w) => {
    const since = remember(s, NaN);
    const limit = w.settings['within'] ?? 0;
    return eventful(s, w, (inputs, now) => {
      const quality = Math.max(inputs.quality(0), inputs.quality(1));
      const isKnown = quality < badFrom;
      const differs = isKnown && inputs.value(0) !== inputs.value(1);
      if (!differs) s.memory[since] = NaN;
      // Each command has its own time to be followed.
      else if (!(recall(s, since) <= now) || inputs.heldValue(0) !== inputs.value(0))
        s.memory[since] = now;
      const until = recall(s, since) + limit;
      putBool(s, w.to, isKnown && !(until <= now), isKnown ? quality : Quality.input);
      return until > now ? until : Infinity;
    });
  },
};

export const history: readonly BuiltIn[] = [since, runtime, integral, ctu, responds];
