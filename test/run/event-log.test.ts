/** What happens in the plant stands in the log: trips, alarms, outputs, commands, reloads. */
import t from 'tap';
import type { AlarmSnapshot, AlarmState, Log, RuleState } from '../../gateway/contract/index.js';
import { EventLog } from '../../gateway/run/event-log.js';
import { Audit } from '../../gateway/write/audit.js';

type Line = readonly [level: string, message: string, fields: Readonly<Record<string, unknown>>];

function recorder(): { log: Log; lines: Line[] } {
  const lines: Line[] = [];
  const at =
    (level: string) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void =>
      void lines.push([level, message, fields]);
  const log: Log = {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => log,
  };
  return { log, lines };
}

function snapshot(id: string, state: AlarmState, by?: string): AlarmSnapshot {
  return {
    id,
    state,
    priority: 'high',
    since: 0,
    text: 'level high',
    evidence: [],
    consequence: undefined,
    response: undefined,
    responseTime: undefined,
    ackedBy: by,
  } as unknown as AlarmSnapshot;
}

void t.test('each change of an alarm is one line, however often it is told', (t) => {
  const { log, lines } = recorder();
  const events = new EventLog(log);
  const told: [AlarmState, string?][] = [
    ['NORMAL'],
    ['UNACK'],
    ['UNACK'],
    ['ACKED', 'Li'],
    ['ACKED', 'Li'],
    ['NORMAL'],
    ['NORMAL'],
    ['LATCHED_UNACK'],
  ];
  for (const [state, by] of told) events.alarm(snapshot('A', state, by));
  t.strictSame(
    lines.map(([level, message, { from, to, by }]) => [level, message, from, to, by]),
    [
      ['warn', 'alarm', 'NORMAL', 'UNACK', undefined],
      ['info', 'alarm', 'UNACK', 'ACKED', 'Li'],
      ['info', 'alarm', 'ACKED', 'NORMAL', undefined],
      ['warn', 'alarm', 'NORMAL', 'LATCHED_UNACK', undefined],
    ],
  );
  t.end();
});

void t.test('a trip is a warning, a trip on trial and a return are not', (t) => {
  const { log, lines } = recorder();
  const events = new EventLog(log);
  const change = (to: RuleState, more: object = {}): void =>
    events.event({
      type: 'rule',
      rule: 'IL1',
      kind: 'interlock',
      from: 'NORMAL',
      to,
      time: 0,
      text: 'p > 8 bar',
      evidence: [],
      ...more,
    } as never);
  change('TRIPPED');
  change('TRIPPED', { shadow: true });
  change('NORMAL', { by: 'Li' });
  change('UNACK', { kind: 'alarm' });
  t.strictSame(
    lines.map(([level, message, { to, by, shadow }]) => [level, message, to, by, shadow]),
    [
      ['warn', 'trip', 'TRIPPED', undefined, undefined],
      ['info', 'rule', 'TRIPPED', undefined, true],
      ['info', 'rule', 'NORMAL', 'Li', undefined],
    ],
  );
  t.end();
});

void t.test('commands stand there with who, what and what came of it', async (t) => {
  const { log, lines } = recorder();
  const audit = new Audit({
    store: () => Promise.resolve(),
    hash: () => 'h',
    wall: () => 0 as never,
    state: undefined,
    log,
  });
  const base = { who: 'Li', source: 'cli', action: 'write', object: 'D.sp' };
  for (const result of ['requested', 'done', 'rate-limited'])
    await audit.record({ ...base, after: 5, result });
  await audit.record({ ...base, source: 'rules', result: 'done' });
  const fields = { ...base, value: '5' };
  t.strictSame(lines, [
    ['info', 'command', { ...fields, result: 'done' }],
    ['warn', 'command', { ...fields, result: 'rate-limited' }],
  ]);
});
