// The whole gateway as a peer of the load rig: journal on, quality on, a few rules, frames at QoS 1.
// The rig gives the layout; options: payload=frame|values, inflight=N, history=1 (keep samples on disk too).
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const bin = join(dirname(fileURLToPath(import.meta.url)), '../../dist/bin/millrace.js');

// Numbers of our frames that are not values; the rig counts all others.
const ignored =
  'v,ep,sq,bt,h,r,i,dt,q,n,ts,time,since,lastOk,epoch,previous,sess,reads,timeouts,refused,silent,requests,writes,overruns,reconnects,frame,probes,corrupt,exception,late,p50_ms,p95_ms,p99_ms,max_ms,busy_pct,in_flight';

export default (c) => {
  const tags = Array.from(
    { length: c.tpd },
    (_, t) => `  t${t}: { address: "hr:${t * c.stride}", type: uint16, scan: fast }\n`,
  );
  writeFileSync(join(c.wd, 'block.yaml'), `profile: 1\ntags:\n${tags.join('')}`);
  const links = Array.from(
    { length: c.devices },
    (_, d) => `  l${d}:
    driver: modbus
    endpoint: tcp://127.0.0.1:${c.modport + d}
    timeout: 2s
    inFlight: ${c.opt.inflight ?? 1}
    scanClasses: { fast: ${c.period}ms }
    devices: { d${d}: { unit: 1, profile: block.yaml } }
`,
  );
  writeFileSync(
    join(c.wd, 'rig.yaml'),
    `millrace: 1
gateway: { id: rig }
links:
${links.join('')}rules: [rules.yaml]
writes: { d0.t1: { allow: [rules], range: [0, 65535] } }
journal: { path: journal.db, size: 64MiB${c.opt.history ? ', history: { keep: 1h }' : ''} }
control: { socket: control.sock }
sinks:
  cloud: { type: mqtt, url: "mqtt://127.0.0.1:${c.mqttport}", version: "${c.opt.mqtt ?? '5'}", payload: ${c.opt.payload ?? 'frame'} }
`,
  );
  writeFileSync(join(c.wd, 'rules.yaml'), rules);
  mkdirSync(join(c.wd, 'data'), { recursive: true });
  const flags = c.opt.flags === '0' ? [] : ['--max-semi-space-size=2', '--max-old-space-size=128'];
  return {
    cmd: process.execPath,
    args: [...flags, bin, 'run', join(c.wd, 'rig.yaml'), '--log', 'warn'],
    // As docs/performance.md recommends for small boxes: glibc keeps an arena for each thread otherwise.
    env: { MALLOC_ARENA_MAX: '2' },
    ignoreKeys: ignored,
  };
};

/** Rules that read values at every scan and never trip: the registers hold less than 65536. */
const rules = `
- interlock: LOW
  cause: (d0.t0 < 0 and d0.t2 < 0) for 1s
  latch: manual
  effects: [{ set: d0.t1, to: 0, level: trip }]
- alarm: HIGH
  when: d0.t3 > 65535 hyst 10 for 2s
  priority: low
- signal: SUM
  value: (d0.t4 + d0.t5) / 2 + 100000
- alarm: VOTE
  when: 2 of [d0.t6 > 65535, d0.t7 > 65535, d0.t8 > 65535]
  priority: low
`;
