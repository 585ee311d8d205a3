import type { Ring } from './panes.js';
import { recall, type Slots } from './slots.js';

/** A number in the memory outlives a restart: a total, a count, the bit of a latch. */
export function keepValue(s: Slots, at: number): void {
  s.kept.push({
    save: () => [recall(s, at)],
    load: ([value = NaN]) => {
      if (value === value) s.memory[at] = value;
    },
  });
}

/** A monotonic time in the memory does; one that would lie ahead is now. */
export function keepTime(s: Slots, at: number): void {
  s.kept.push({
    save: (ahead) => [recall(s, at) + ahead],
    load: ([time = NaN], ahead, now) => {
      s.memory[at] = Math.min(now, time - ahead);
    },
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
