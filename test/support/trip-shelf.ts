import type { TripShelf } from '../../gateway/run/past-why.js';

/** Records of trips in memory, for all to see. */
export function shelfOf(records: Map<string, string>): TripShelf {
  return {
    save: (name, json) => {
      records.set(name, json);
      return Promise.resolve();
    },
    names: () => Promise.resolve([...records.keys()]),
    load: (name) => Promise.resolve(records.get(name)),
  };
}

/** Keeps none. */
export const noTrips: TripShelf = {
  save: () => Promise.resolve(),
  names: () => Promise.resolve([]),
  load: () => Promise.resolve(undefined),
};
