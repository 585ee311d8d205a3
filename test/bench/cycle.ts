/**
 * `npm run bench:cycle`: how long one scan of a slow device takes against the least it can, for each number of
 * requests at once: by arithmetic, and as the rig's bare client (C, no decoding) gets it from the same device. The device answers after 5 or 20 ms, all it was asked at the same time (the rig's
 * simulator, `--parallel`); the scan is that of the gateway, on the real clock and network.
 */
import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { modbus } from '../../drivers/modbus/index.js';
import { unwatched } from '../support/create.js';
import { systemClock, systemRandom } from '../../gateway/host/clock.js';
import { openStream } from '../../gateway/host/open.js';
import { Inbox } from '../../gateway/scan/inbox.js';
import { Link } from '../../gateway/scan/link.js';
import { link, tag } from '../support/config.js';
import { ms } from '../../gateway/contract/index.js';
import { machine, median, option, print, withRig } from './rig.js';

/** 80 requests a scan: as many as ten thousand registers in a row take. */
const registers = 10_000;
const requests = registers / 125;

function pause(time: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, time));
}

/** Median time of a scan, ms. */
async function scanTime(
  port: number,
  inFlight: number | 'auto',
  periodMs: number,
): Promise<number> {
  const tags = Array.from({ length: registers }, (_, i) =>
    tag('D', `t${String(i)}`, 'l', { type: 'uint16', period: ms(periodMs) }),
  );
  const config = link(
    'l',
    modbus,
    `tcp://127.0.0.1:${String(port)}`,
    [{ name: 'D', link: 'l', tags, primary: undefined, events: undefined }],
    {
      link: { inFlight },
      device: () => ({ unit: 1 }),
      tag: ({ local }) => ({ address: `hr:${local.slice(1)}` }),
    },
  );
  const inbox = new Inbox(() => {
    for (const { group } of inbox.take()) group?.taken();
  });
  const one = new Link(config, Int32Array.from(config.bindings.keys()), {
    ...unwatched(),
    clock: systemClock,
    random: systemRandom,
    inbox,
    open: openStream,
  });
  one.start();
  const times: number[] = [];
  let seen = 0;
  // Enough scans past those that warm up, also of the slowest period.
  const until = performance.now() + Math.max(option('secs', 8) * 1_000, periodMs * 8);
  while (performance.now() < until) {
    await pause(20);
    const job = one.jobs[0];
    for (const { group } of inbox.take()) group?.taken();
    if (!job || job.stats.scans === seen) continue;
    // The first scans warm up; with `auto` they also find the width.
    if (++seen > 3 && (inFlight !== 'auto' || one.stats['in_flight'] === 8))
      times.push(job.stats.lastMs);
    seen = job.stats.scans;
  }
  await one.stop();
  return median(times);
}

/** What the rig's bare client needs for as many requests, ms: the device takes its own time as well. */
function bareTime(rig: string, port: number, inFlight: number): number {
  const args = [port, 1, 1, inFlight, 125, 3].map(String);
  const out = execFileSync(join(rig, 'bin/modcli'), args, { encoding: 'utf8' });
  return (requests / (JSON.parse(out) as { readonly tps: number }).tps) * 1000;
}

async function cycles(rig: string): Promise<void> {
  print(machine());
  print('\n| device delay ms | in flight | scan ms | least ms | ratio | bare client ms | ratio |');
  print('|---|---|---|---|---|---|---|');
  for (const delay of [5, 20]) {
    for (const inFlight of [1, 4, 8, 16, 'auto'] as const) {
      const port = 20_000 + Math.floor(Math.random() * 12_000);
      const args = [
        '--port',
        port,
        '--ports',
        1,
        '--regs',
        registers,
        '--delay-ms',
        delay,
        '--parallel',
      ];
      const sim = spawn(join(rig, 'bin/modsim'), args.map(String), { stdio: 'ignore' });
      await pause(300);
      const width = inFlight === 'auto' ? 8 : inFlight;
      const least = Math.ceil(requests / width) * delay;
      const time = await scanTime(
        port,
        inFlight,
        Math.max(200, Math.ceil((least * 1.5) / 100) * 100),
      );
      const bare = bareTime(rig, port, width);
      sim.kill('SIGTERM');
      const ratios = [least, (time / least).toFixed(3), bare.toFixed(1), (time / bare).toFixed(3)];
      const cells = [delay, inFlight, time.toFixed(1), ...ratios];
      print(`| ${cells.map(String).join(' | ')} |`);
    }
  }
}

await withRig(cycles);
