import type { Plant } from './plant.js';

/** What happens in the plant, in seconds from the start of a round. */
const script: readonly { at: number; text: string; act: (plant: Plant) => void }[] = [
  {
    at: 0,
    text: 'P101 runs, 43 m3/h',
    act: (plant) => {
      plant.suctionOpen = true;
      plant.resetPressed = false;
      plant.runCommand = true;
    },
  },
  {
    at: 12,
    text: 'somebody closes the suction valve HV100: P101 runs dry',
    act: (plant) => {
      plant.suctionOpen = false;
    },
  },
  {
    at: 55,
    text: 'the valve is open again',
    act: (plant) => {
      plant.suctionOpen = true;
    },
  },
  {
    at: 65,
    text: 'the operator presses the reset button HS101',
    act: (plant) => {
      plant.resetPressed = true;
    },
  },
  {
    at: 67,
    text: 'and starts the pump again',
    act: (plant) => {
      plant.resetPressed = false;
      plant.runCommand = true;
    },
  },
];
const roundSeconds = 120;

/** Plays the script round after round. */
export class Scenario {
  readonly #plant: Plant;
  #done = 0;
  #round = 0;
  #text = '';

  constructor(plant: Plant) {
    this.#plant = plant;
  }

  get text(): string {
    return this.#text;
  }

  /** Does what is due at `seconds` since the start. */
  play(seconds: number): void {
    const round = Math.floor(seconds / roundSeconds);
    if (round !== this.#round) {
      this.#round = round;
      this.#done = 0;
    }
    for (const step of script.slice(this.#done)) {
      if (seconds - round * roundSeconds < step.at) return;
      step.act(this.#plant);
      this.#text = step.text;
      this.#done++;
    }
  }
}
