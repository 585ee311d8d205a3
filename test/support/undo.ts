import type { Cleanup } from './scratch.js';

/** What a bench leaves behind, taken away in reverse. */
export class Undo implements Cleanup {
  #steps: (() => unknown)[] = [];

  teardown(step: () => unknown): void {
    this.#steps.push(step);
  }

  async run(): Promise<void> {
    for (const step of this.#steps.reverse()) await step();
    this.#steps = [];
  }
}
