/**
 * Which questions are not answered when they ask for more than they need: some devices say nothing where a register
 * that nobody named is not there. It takes two such silences, between which the unit has answered something else, and
 * nothing late.
 */
export class MuteExtras {
  /** By unit: how often it has answered. */
  readonly #answers = new Map<number, number>();
  /** By key of the question: how often its unit had answered when it was silent to a longer one. */
  readonly #silentAt = new Map<string, number>();
  readonly #mute = new Set<string>();

  has(key: string): boolean {
    return this.#mute.has(key);
  }

  answered(unit: number, key: string, extra: number): void {
    this.#answers.set(unit, this.#answersOf(unit) + 1);
    if (extra > 0) this.#silentAt.delete(key);
  }

  notAnswered(unit: number, key: string): void {
    const answers = this.#answersOf(unit);
    const before = this.#silentAt.get(key);
    this.#silentAt.set(key, answers);
    if (before !== undefined && before < answers) this.#mute.add(key);
  }

  /** What comes late comes: the unit is slow, and not mute. */
  cameLate(unit: number): void {
    for (const keys of [this.#silentAt, this.#mute])
      for (const key of [...keys.keys()]) if (key.startsWith(`${unit} `)) keys.delete(key);
  }

  #answersOf(unit: number): number {
    return this.#answers.get(unit) ?? 0;
  }
}
