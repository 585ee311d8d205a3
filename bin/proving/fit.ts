import { stringify } from 'yaml';
import { GatewayError, type TagLookup } from '../../gateway/contract/index.js';
import { replaceFile } from '../../gateway/host/files.js';
import { Exit } from '../exit.js';
import { CliError, print, printJson } from '../output.js';
import {
  baselineParts,
  differenceOf,
  fitBaseline,
  fitModel,
  seriesOf,
  type FittedModel,
  type ReplaySample,
  type CompiledProgram,
} from '../wire-rules.js';
import { compiledOf, loadRuleFiles } from './load.js';
import { recorded, type RecordOptions } from './recorded.js';

export interface FitOptions extends RecordOptions {
  readonly model?: string;
  readonly tags?: string;
  readonly explain: string;
  readonly baselines?: readonly string[];
  readonly out?: string;
}

/** One observation in a hundred may lie beyond the limits of a model though all is well. */
const falseAlarms = 0.01;

/** `millrace model fit`: what was normal in recorded data, as elements of a rule file. */
export async function fit(options: FitOptions, file: string): Promise<void> {
  const { baselines = [], model, tags } = options;
  if (baselines.length === 0 && model === undefined)
    throw new CliError(
      'nothing to fit',
      '--model NAME --tags A,B, or --baselines NAME…',
      Exit.usage,
    );
  if ((model === undefined) !== (tags === undefined))
    throw new CliError('--model and --tags belong together', '', Exit.usage);
  const files = await loadRuleFiles(file);
  const program = compiledOf(files);
  const about: About = {
    program,
    lookup: files.lookup,
    samples: (await recorded(options, files.lookup)).samples,
    from: options.data ?? options.journal ?? `the gateway ${files.config.gateway.id}`,
    remarks: [],
  };
  const elements: object[] = [];
  if (baselines.length > 0) elements.push(baselineElement(about, baselines));
  if (model !== undefined && tags !== undefined)
    elements.push(
      modelElement(
        about,
        model,
        tags.split(',').map((tag) => tag.trim()),
        shareOf(options.explain),
      ),
    );
  const text = stringify(elements, { lineWidth: 0 });
  if (options.out !== undefined) await replaceFile(options.out, text);
  if (options.json) {
    printJson(elements);
    return;
  }
  for (const remark of about.remarks) print(remark);
  print(options.out === undefined ? text.trimEnd() : `written to ${options.out}`);
}

interface About {
  readonly program: CompiledProgram;
  readonly lookup: TagLookup;
  readonly samples: readonly ReplaySample[];
  readonly from: string;
  /** For the person who reads what is printed. */
  readonly remarks: string[];
}

function shareOf(typed: string): number {
  const share = Number(/^(\d+(?:\.\d+)?)\s*%$/.exec(typed)?.[1] ?? NaN) / 100;
  if (share > 0 && share < 1) return share;
  throw new CliError(`--explain ${typed} is no share`, 'such as 90 %', Exit.usage);
}

function refuse(why: string): never {
  throw new GatewayError('bad-request', why);
}

function isKnown({ program, lookup }: About): (name: string) => boolean {
  const signals = new Set(program.signals.map(({ name }) => name));
  return (name) => lookup.find(name) !== undefined || signals.has(name);
}

function stamp({ from }: About): object {
  return { from, fitted: new Date().toISOString().slice(0, 10) };
}

/** A number with few enough digits to read, and its unit. */
function quantity(value: number, unit: string | undefined): string | number {
  const number = Number(value.toPrecision(6));
  return unit === undefined || unit === '' ? number : `${number} ${unit}`;
}

function baselineElement(about: About, names: readonly string[]): object {
  const parts = names.map(
    (name) =>
      baselineParts(name, isKnown(about)) ??
      refuse(`${name} is no tag or signal, and no statistic of one`),
  );
  const series = seriesOf(
    about.program,
    about.lookup,
    about.samples,
    parts.map(({ of }) => of),
  );
  const found: Record<string, string | number> = {};
  for (const [column, { statistic }] of parts.entries()) {
    const fitted = fitBaseline(names[column] ?? '', statistic, series, column);
    if ('refused' in fitted) refuse(fitted.refused);
    found[fitted.name] = quantity(fitted.value, fitted.unit);
  }
  return { baselines: found, ...stamp(about) };
}

function modelElement(
  about: About,
  name: string,
  tags: readonly string[],
  explain: number,
): object {
  const known = isKnown(about);
  const strange = tags.find((tag) => !known(tag));
  if (strange !== undefined) refuse(`there is no tag or signal ${strange}`);
  const series = seriesOf(about.program, about.lookup, about.samples, tags);
  const fitted = fitModel(series, { explain, falseAlarms });
  if ('refused' in fitted) refuse(fitted.refused);
  about.remarks.push(modelText(name, fitted));
  const variables = fitted.variables.map(({ tag, unit, mean, sigma }) => ({
    tag,
    mean: quantity(mean, unit),
    sigma: quantity(sigma, differenceOf(unit)),
  }));
  const { loadings, variances, limits } = fitted;
  return {
    model: name,
    variables,
    loadings,
    variances,
    limits: { t2: quantity(limits.t2, ''), spe: quantity(limits.spe, '') },
    ...stamp(about),
  };
}

function modelText(name: string, { loadings, rows, explained, limits }: FittedModel): string {
  const share = `${(explained * 100).toFixed(1)} %`;
  return (
    `# ${name}: ${loadings.length} components hold ${share} of ${rows} rows; ` +
    `1 % of the good ones lie beyond T2 ${limits.t2.toFixed(2)} or SPE ${limits.spe.toFixed(3)}`
  );
}
