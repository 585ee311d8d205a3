/** Wrong views of the language, each a small one: a run must notice them. */
export const mutants = [
  'unknown beats what decides',
  'delays are a step longer',
  'bad restarts a delay',
  'the first value is an edge',
  'latches are swapped',
  'no hysteresis',
  'votes do not degrade',
  'no end of grace',
  'ignored is false',
  'a bad value is held as good',
  'trip after counts from the first bad value ever',
  'a held value goes stale in hold',
  'unknown does not trip',
  'an unknown arm disarms',
  'a disarmed rule trips',
  'reset works against a standing cause',
  'a held button resets',
  'hold does not count anew',
  'alarms clear on bad values',
  'off-delay is not looked at',
  'acknowledging does nothing',
  'latched alarms do not latch',
  'a bypass never ends',
  'only the first cause of a group counts',
  'reserve is bad',
  'saturated is bad',
  'saturated releases',
  'sides are swapped',
  'bad to good is an edge',
] as const;
export type Mutant = (typeof mutants)[number];

/** Which feature a mutant needs to be seen at all. */
export function featureOf(mutant: Mutant): 'bands' | 'resets' | undefined {
  if (/reserve|saturated|sides/.test(mutant)) return 'bands';
  return /bad to good/.test(mutant) ? 'resets' : undefined;
}
