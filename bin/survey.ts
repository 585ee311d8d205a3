import { dirname, resolve } from 'node:path';
import { learnedOf, type SurveyPlan } from '../gateway/config/learned.js';
import type { Config } from '../gateway/config/model.js';
import { asGatewayError, silentLog } from '../gateway/contract/index.js';
import { DriverMaker } from '../gateway/host/isolated.js';
import type { GlobalOptions } from './context.js';
import { Exit } from './exit.js';
import { keep, surveyLink } from './learn.js';
import { loadAll } from './load.js';
import { CliError, print, printJson } from './output.js';

/** `millrace learn` */
export async function learnCommand(
  { json }: GlobalOptions,
  file: string,
  only: string | undefined,
): Promise<void> {
  const loaded = await loadAll(resolve(file));
  const plans = loaded.surveys.filter(
    ({ wanted, link }) => wanted && (only === undefined || link === only),
  );
  if (plans.length === 0)
    throw new CliError(
      only === undefined ? 'no link asks its devices for anything' : `nothing to learn on ${only}`,
      'give a device expand: [{ folder: … }], or the link learnUnits: true',
      Exit.usage,
    );
  const maker = new DriverMaker(dirname(loaded.local?.journal ?? ''), silentLog);
  const reports = [];
  for (const plan of plans) {
    const devices = await surveyLink(plan, maker, silentLog);
    const changed = await keep(plan, learnedOf(plan, devices));
    const found = devices.map(({ name, found: tags, remarks }) => ({
      device: name,
      tags: tags.length,
      remarks,
    }));
    reports.push({ link: plan.link, file: plan.path, changed, devices: found });
  }
  if (json) printJson(reports);
  else for (const report of reports) print(textOf(report));
}

function textOf({
  link,
  file,
  changed,
  devices,
}: {
  readonly link: string;
  readonly file: string;
  readonly changed: boolean;
  readonly devices: readonly {
    readonly device: string;
    readonly tags: number;
    readonly remarks: readonly string[];
  }[];
}): string {
  const lines = devices.flatMap(({ device, tags, remarks }) => [
    `${link}: ${device} has ${String(tags)} tags`,
    ...remarks.map((remark) => `  ${remark}`),
  ]);
  return [...lines, changed ? `${file}: written` : `${file}: nothing new`].join('\n');
}

/** A tag that is not there as the configuration has it, or a device that cannot be asked. */
export interface OnlineProblem {
  readonly link: string;
  readonly tag: string | undefined;
  readonly message: string;
}

/** Compares a configuration with its devices: those of drivers that can be asked. */
export async function compareOnline(
  { writes, journal }: Pick<Config, 'writes' | 'journal'>,
  surveys: readonly SurveyPlan[],
): Promise<readonly OnlineProblem[]> {
  const maker = new DriverMaker(dirname(journal.path), silentLog);
  const problems: OnlineProblem[] = [];
  for (const plan of surveys) {
    const { link } = plan;
    try {
      for (const { name, facts } of await surveyLink(plan, maker, silentLog)) {
        const tags = plan.devices.find((device) => device.name === name)?.tags ?? [];
        facts.forEach(({ problem, writable }, at) => {
          const tag = tags[at]?.name ?? name;
          if (problem !== undefined) problems.push({ link, tag, message: problem });
          else if (writable === false && writes.has(tag))
            problems.push({ link, tag, message: 'writes: permits it, but the device does not' });
        });
      }
    } catch (thrown) {
      problems.push({ link, tag: undefined, message: asGatewayError(thrown).message });
    }
  }
  return problems;
}
