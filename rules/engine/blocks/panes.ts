import { isSound } from '../../../gateway/contract/index.js';
import { badFrom, nextMultiple, recall, remember, type Slots } from './slots.js';

/** Most panes of one window, and the shortest pane (ms): the error of a window is at most one pane. */
const maxPanes = 60;
const shortestPane = 100;

/** Where a sliding window keeps its panes: rows of `width` numbers, one row a pane, used in a ring. */
export interface Ring {
  readonly paneMs: number;
  readonly count: number;
  /** When the open pane began, monotonic ms; NaN before the first. */
  openedAt: () => number;
  /** Makes the pane of `now` the open one; panes that fell out of the window are emptied. */
  open: (now: number) => void;
  /** Position in the memory of the pane that `age` panes lie after (0 = open). */
  row: (age: number) => number;
}

export function ring(s: Slots, ms: number, width: number, more = 0): Ring {
  const paneMs = Math.max(shortestPane, Math.ceil(ms / maxPanes));
  const count = Math.max(1, Math.round(ms / paneMs)) + more;
  const openId = remember(s, NaN);
  const rows = remember(s, ...Array.from({ length: count * width }, () => 0));
  const rowOf = (id: number): number => rows + (((id % count) + count) % count) * width;
  return {
    paneMs,
    count,
    openedAt: () => recall(s, openId) * paneMs,
    open: (now) => {
      const id = Math.floor(now / paneMs);
      const before = recall(s, openId);
      if (id === before) return;
      const from = before === before ? Math.max(before + 1, id - count + 1) : id - count + 1;
      for (let at = from; at <= id; at++) s.memory.fill(0, rowOf(at), rowOf(at) + width);
      s.memory[openId] = id;
    },
    row: (age) => rowOf(recall(s, openId) - age),
  };
}

/** Mean and scatter of what a window holds, weighted by time; reused from call to call. */
export interface Stats {
  /** Time with a usable value, ms. */
  weight: number;
  mean: number;
  /** Sum of squared deviations × ms. */
  m2: number;
  least: number;
  most: number;
}

/** A window over a value that holds between its changes: each value weighs as long as it stood. */
export interface HeldWindow {
  readonly paneMs: number;
  /** `value` stood from the last call until `now`. */
  advance: (now: number, value: number, quality: number) => void;
  /** What the window holds at `now`. The object is reused. */
  stats: (now: number) => Stats;
  /** How long the window could hold values by now, ms: its length, or the time since the first one. */
  span: (now: number) => number;
  /** Was an uncertain value used in it? */
  isDoubtful: (now: number) => boolean;
  /** When the oldest pane falls out. */
  nextPane: (now: number) => number;
}

const width = 5;

export function heldWindow(s: Slots, ms: number): HeldWindow {
  const panes = ring(s, ms, width);
  const { paneMs, count } = panes;
  // Up to when it is filled; since when there are values; when an uncertain one was used last.
  const upTo = remember(s, NaN, NaN, -Infinity);
  const first = upTo + 1;
  const doubt = upTo + 2;
  const out: Stats = { weight: 0, mean: 0, m2: 0, least: 0, most: 0 };
  const piece = (value: number, from: number, to: number): void => {
    panes.open(from);
    add(s, panes.row(0), value, to - from);
  };
  return {
    paneMs,
    advance: (now, value, quality) => {
      let at = recall(s, upTo);
      s.memory[upTo] = now;
      const isUsable = quality < badFrom && value === value;
      if (at === at && isUsable) {
        if (!(recall(s, first) <= at)) s.memory[first] = at;
        if (!isSound(quality)) s.memory[doubt] = now;
        at = Math.max(at, (Math.floor(now / paneMs) - count + 1) * paneMs);
        while (at < now) {
          const end = Math.min(now, nextMultiple(at, paneMs));
          piece(value, at, end);
          at = end;
        }
      }
      panes.open(now);
    },
    stats: (now) => {
      combine(s, panes, out);
      // Nothing in it for a whole length: what comes next begins anew.
      if (out.weight === 0 && now - recall(s, first) > ms) s.memory[first] = NaN;
      return out;
    },
    span: (now) => Math.min(ms, Math.max(0, now - recall(s, first))) || 0,
    isDoubtful: (now) => recall(s, doubt) > now - ms,
    nextPane: (now) => nextMultiple(now, paneMs),
  };
}

function add(s: Slots, row: number, value: number, weight: number): void {
  const m = s.memory;
  const before = m[row] as number;
  const all = before + weight;
  if (before === 0) {
    m[row + 3] = value;
    m[row + 4] = value;
  } else {
    m[row + 3] = Math.min(m[row + 3] as number, value);
    m[row + 4] = Math.max(m[row + 4] as number, value);
  }
  const off = value - (m[row + 1] as number);
  const mean = (m[row + 1] as number) + (off * weight) / all;
  m[row + 2] = (m[row + 2] as number) + off * (value - mean) * weight;
  m[row + 1] = mean;
  m[row] = all;
}

/** Puts the panes together, oldest first, in a way that loses no digits to a large mean. */
function combine(s: Slots, panes: Ring, out: Stats): void {
  out.weight = 0;
  out.mean = 0;
  out.m2 = 0;
  out.least = Infinity;
  out.most = -Infinity;
  const m = s.memory;
  for (let age = panes.count - 1; age >= 0; age--) {
    const row = panes.row(age);
    const weight = m[row] as number;
    if (weight === 0) continue;
    const all = out.weight + weight;
    const off = (m[row + 1] as number) - out.mean;
    out.m2 += (m[row + 2] as number) + (off * off * out.weight * weight) / all;
    out.mean += (off * weight) / all;
    out.weight = all;
    out.least = Math.min(out.least, m[row + 3] as number);
    out.most = Math.max(out.most, m[row + 4] as number);
  }
}
