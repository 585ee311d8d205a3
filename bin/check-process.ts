import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { SurveyPlan } from '../gateway/config/learned.js';
import type { DriverRef, LocalPaths } from '../gateway/config/model.js';
import {
  type DriverModule,
  errorOf,
  GatewayError,
  type PlainError,
  type Port,
} from '../gateway/contract/index.js';
import { PipePort } from '../gateway/host/pipe-port.js';
import { limits } from '../gateway/limits.js';
import type { LogLevel } from '../gateway/run/log.js';
import type { Plan } from '../gateway/run/plan.js';
import { PlanReader, type PlanPart } from '../gateway/run/plan-parts.js';
import type { StartAlarm } from '../gateway/run/start-plan.js';
import { startChild } from './child-process.js';
import { loadDriver, programReader } from './wire.js';

const program = fileURLToPath(new URL('./checker.js', import.meta.url));

/**
 * What is checked for. `start`: what devices know may be missing, then there is no plan; a gateway that has run before starts with what is
 * right. `start-now`: the same without what is missing. `reload`: all of it must be right.
 */
export type CheckMode = 'start' | 'start-now' | 'reload';

/** What that process is told by its command line. */
export interface CheckArgs {
  readonly file: string;
  readonly mode: CheckMode;
  readonly level: LogLevel;
}

/** What the process that checks says, in this order; the last one is `checked` or `refused`. */
export type FromChecker =
  | { readonly kind: 'part'; readonly part: PlanPart }
  | { readonly kind: 'survey'; readonly survey: Omit<SurveyPlan, 'driver'> }
  | ({ readonly kind: 'checked' } & Verdict)
  | { readonly kind: 'refused'; readonly why: PlainError };

interface Verdict {
  readonly local: LocalPaths;
  /** For people, a line each. */
  readonly warnings: readonly string[];
  /** Of a start: what is set aside. */
  readonly alarms: readonly StartAlarm[];
}

/** A configuration that was checked. */
export interface Checked extends Verdict {
  /** Undefined: devices must be asked before there can be one. */
  readonly plan: Plan | undefined;
  /** Links whose devices know something that the configuration wants. */
  readonly surveys: readonly SurveyPlan[];
}

/**
 * Has a configuration read, checked and compiled in a process of its own, within limits of memory and time: polls and trips go on beside it,
 * and its memory goes with it. Rejects with a GatewayError that names all problems.
 */
export async function check(args: CheckArgs): Promise<Checked> {
  const flags = [`--max-old-space-size=${String(limits.checkHeapMiB)}`];
  const { child, pipe, failed } = startChild(program, args, { flags, nice: limits.checkNice });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill('SIGKILL');
  }, limits.checkMs);
  try {
    const port = new PipePort<never, FromChecker>(pipe ?? (await failed));
    return await Promise.race([checkedBy(child, port, () => isLate), failed]);
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
  }
}

async function checkedBy(
  child: ChildProcess,
  port: Port<never, FromChecker>,
  isLate: () => boolean,
): Promise<Checked> {
  const reader = new PlanReader({ reader: programReader });
  const surveys: Omit<SurveyPlan, 'driver'>[] = [];
  const verdict = await new Promise<Verdict>((resolve, reject) => {
    port.onMessage((message) => {
      switch (message.kind) {
        case 'part':
          reader.take(message.part);
          break;
        case 'survey':
          surveys.push(message.survey);
          break;
        case 'checked':
          resolve(message);
          break;
        case 'refused':
          reject(errorOf(message.why));
      }
    });
    child.once('close', (code, signal) => reject(endedEarly(isLate(), signal ?? code)));
  });
  const { local, warnings, alarms } = verdict;
  const plan = await reader.plan(driverOf);
  const asked = surveys.map(async (one) => ({ ...one, driver: await driverOf(one.driverRef) }));
  return { plan, surveys: await Promise.all(asked), local, warnings, alarms };
}

/** It was there a moment ago. */
async function driverOf({ name, inProcess }: DriverRef): Promise<DriverModule> {
  const driver = await loadDriver(name, inProcess);
  if (driver) return driver;
  throw new GatewayError('driver-unknown', `no driver named "${name}"`);
}

/** It said nothing, and is gone. */
function endedEarly(isLate: boolean, how: string | number | null): GatewayError {
  const why = isLate
    ? `it took more than ${String(limits.checkMs / 1_000)} s`
    : how === 'SIGABRT'
      ? `it takes more than ${String(limits.checkHeapMiB)} MiB of memory`
      : how === 'SIGKILL'
        ? 'the process that checks it was killed: is the system short of memory?'
        : `the process that checks it ended with ${String(how)}`;
  return new GatewayError('check-failed', `the configuration could not be checked: ${why}`);
}
