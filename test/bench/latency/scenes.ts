import { disks } from './scenes-disk.js';
import { loads } from './scenes-load.js';
import { people } from './scenes-people.js';
import { norths } from './scenes-north.js';
import { brokers } from './scenes-broker.js';
import type { Scene } from './scene.js';

/** The rows, in the order of the table. */
export const scenes: readonly Scene[] = [...loads, ...people, ...brokers, ...disks, ...norths];
