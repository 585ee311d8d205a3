import type { Cleanup } from './scratch.js';

/** What a row leaves behind, taken away in reverse before the next one begins. */
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
