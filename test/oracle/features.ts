/** Which parts of semantics.md a run generates; what is off stands as it was before them. */
export interface Features {
  /** §3: reserve, saturation, failure; off: whatever is out of its span is uncertain. */
  readonly bands: boolean;
  /** §4: uncertain values through signals to strict readers. */
  readonly signals: boolean;
  /** §5: a reset needs a button that was seen let go after the trip. */
  readonly resets: boolean;
  /** §3: while something of its cause is saturated and not decided, a trip stands, whatever `on_bad` says. */
  readonly keeps: boolean;
  /** A bad value beside a saturated one in a calculation makes it bad; off: such rules are left out. */
  readonly badWins: boolean;
  /** What a bound decides becomes not known in a `not`, and `on_bad` stands in for it; off: it does not. */
  readonly coversNot: boolean;
}

/** What the engine beside this oracle has. */
export const current: Features = {
  bands: true,
  signals: true,
  resets: false,
  keeps: false,
  badWins: false,
  coversNot: false,
};
export const all: Features = {
  bands: true,
  signals: true,
  resets: true,
  keeps: true,
  badWins: true,
  coversNot: true,
};
