import type { Ring } from './panes.js';
import { recall, truth, type Slots } from './slots.js';

/** A number in the memory outlives a restart: a total, a count, the bit of a latch. `shadow`: begins as it does. */
export function keepValue(s: Slots, at: number, shadow: number = at): void {
  s.kept.push({
    save: () => [recall(s, at)],
    load: ([value = NaN]) => {
      if (value === value) s.memory[at] = s.memory[shadow] = value;
    },
  });
}

/**
 * The monotonic time at which the condition in `slot` was true last does: now, while it is. One that would lie
 * ahead is now.
 */
export function keepLastTime(s: Slots, at: number, slot: number): void {
  const isTrue = (): boolean => truth(s, slot) === 1;
  s.kept.push({
    save: (ahead, now) => [(isTrue() ? now : recall(s, at)) + ahead],
    load: ([time = NaN], ahead, now) => {
      s.memory[at] = Math.min(now, time - ahead);
    },
    isMoving: isTrue,
  });
}

/** The panes of a window, one number each, do. Time goes on while nothing runs: what is too old is gone. */
export function keepPanes(s: Slots, panes: Ring): void {
  s.kept.push({
    save: (ahead) => [
      panes.openedAt() + ahead,
      ...ages(panes).map((age) => recall(s, panes.row(age))),
    ],
    load: ([opened = NaN, ...rows], ahead, now) => {
      const at = Math.min(now, opened - ahead);
      if (at !== at) return;
      // Panes begin at other times now: rather too late, so that nothing leaves the window early.
      panes.open(Math.min(now, at + panes.paneMs - 1));
      for (const age of ages(panes)) s.memory[panes.row(age)] = rows[age] ?? 0;
      panes.open(now);
    },
  });
}
function ages(panes: Ring): readonly number[] {
  return Array.from({ length: panes.count }, (_, age) => age);
}
