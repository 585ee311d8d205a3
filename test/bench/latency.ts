/**
 * `npm run bench:latency [-- --trips 100 --rows idle,load]`: from the response frame that carries the cause of a trip to
 * the write frame that stops the pump, as the PLC sees it: a gateway in a process of its own, a PLC here, everything else
 * in other processes. A row a scene; beside it the longest gap between two polls of the PLC, which is scanned every 100 ms,
 * and the longest gap of a loop that does nothing else, in the same seconds. The exit code is 1 where a row does not meet
 * the bars of `latency/table.ts`.
 */
import { measure } from './latency/measure.js';
import { scenes } from './latency/scenes.js';
import { chosen, head, line, missed } from './latency/table.js';
import { machine, option, print } from './rig.js';

const trips = option('trips', 100);
const rows = chosen(scenes, process.argv);
print(machine());
print(head);
for (const scene of rows) {
  const row = await measure(scene, trips);
  print(line(row));
  if (missed(row).length > 0) process.exitCode = 1;
}
