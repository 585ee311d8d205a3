import { quantityOf, unitOfQuantity } from '../text/literal.js';
import { didYouMean } from '../text/names.js';
import { differenceUnit, isPoint, parseUnit, unitNames, type Unit } from '../text/units.js';
import { createFields, isMap, type Fields, type Raw } from './fields.js';
import type { Constant, Curve, Library, Model, ModelVariable } from './library.js';
import type { Path, Sink } from './problems.js';

/** Elements of a rule file that are no rules: they give names to numbers, curves and models. */
export const libraryKinds = ['constants', 'baselines', 'equipment', 'model'] as const;
export type LibraryKind = (typeof libraryKinds)[number];

/** Bounds of what one element may hold. */
const maxPoints = 1000;
const maxVariables = 64;

/** A library while it is read. */
export interface LibraryBuilder {
  readonly constants: Map<string, Constant>;
  readonly baselines: Map<string, Constant>;
  readonly curves: Map<string, Curve>;
  readonly models: Map<string, Model>;
}
export function createLibraryBuilder(): LibraryBuilder {
  return { constants: new Map(), baselines: new Map(), curves: new Map(), models: new Map() };
}

export function libraryOf(library: LibraryBuilder): Library {
  const { constants, baselines, curves, models } = library;
  return {
    constant: (name) => constants.get(name),
    baseline: (name) => baselines.get(name),
    curve: (equipment, name) => curves.get(`${equipment}.${name}`),
    model: (name) => models.get(name),
    names: [...constants.keys()],
    curves: [...curves.keys()],
    models: [...models.keys()],
  };
}

/** Which of these kinds an element is, if any. */
export function libraryKindOf(rule: Raw): LibraryKind | undefined {
  const first = Object.keys(rule)[0];
  return libraryKinds.find((kind) => kind === first);
}

/** Adds an element to the library; errors go to the sink. */
export function readLibrary(
  kind: LibraryKind,
  rule: Raw,
  library: LibraryBuilder,
  sink: Sink,
): void {
  const f = createFields(rule, [], sink);
  switch (kind) {
    case 'constants':
      readConstants(f.map('constants'), '', library.constants, sink);
      break;
    case 'baselines':
      readConstants(f.map('baselines'), '', library.baselines, sink);
      f.text('from');
      f.text('fitted');
      break;
    case 'equipment':
      readEquipment(f, library, sink);
      break;
    case 'model':
      readModel(f, library, sink);
      break;
  }
  f.text('description');
  f.text('source');
  f.done();
}

function readConstants(
  f: Fields | undefined,
  prefix: string,
  into: Map<string, Constant>,
  sink: Sink,
): void {
  for (const key of f?.keys() ?? []) {
    const path = [...(f?.path ?? []), key];
    const quantity = readQuantity(f?.raw(key), path, sink);
    if (!quantity) continue;
    const name = prefix + key;
    if (into.has(name)) sink.report(path, `${name} has a value already`, 'give it one value only');
    else into.set(name, { name, ...quantity });
  }
}

function readQuantity(
  typed: unknown,
  path: Path,
  sink: Sink,
): { value: number; unit: Unit } | undefined {
  const quantity = quantityOf(typed);
  if (!quantity) {
    sink.report(path, `${String(typed)} is no number with a unit`, 'such as 2.5 m, 32 A or 0.7');
    return undefined;
  }
  const unit = unitOfQuantity(quantity);
  if (unit) return { value: quantity.value, unit };
  sink.report(path, `unknown unit ${quantity.unit}`, didYouMean(quantity.unit ?? '', unitNames()));
  return undefined;
}

function readEquipment(f: Fields, library: LibraryBuilder, sink: Sink): void {
  const name = f.text('equipment') ?? '';
  if (name === '') {
    sink.report(['equipment'], 'equipment needs a name', 'equipment: P101');
    return;
  }
  readConstants(f.map('parameters'), `${name}.`, library.constants, sink);
  const curves = f.map('curves');
  for (const key of curves?.keys() ?? []) {
    const curve = curves?.map(key);
    if (!curve) continue;
    if (!key.endsWith('_curve'))
      sink.report(curve.path, `the name of a curve ends in _curve`, `${key}_curve`);
    const read = readCurve(curve, `${name}.${key}`, sink);
    if (!read) continue;
    if (library.curves.has(read.name)) sink.report(curve.path, `${read.name} exists already`);
    else library.curves.set(read.name, read);
  }
  // Those of a template, which has been put in the place of this element's rules already.
  f.raw('template');
  f.raw('tags');
}

function readUnit(f: Fields, key: string, sink: Sink): Unit | undefined {
  const text = f.required(key, f.text(key), `${key}: m3/h`);
  if (text === undefined) return undefined;
  const unit = parseUnit(text === '-' ? '' : text);
  if (!unit) sink.report([...f.path, key], `unknown unit ${text}`, didYouMean(text, unitNames()));
  return unit;
}

function readCurve(f: Fields, name: string, sink: Sink): Curve | undefined {
  const xUnit = readUnit(f, 'x', sink);
  const yUnit = readUnit(f, 'y', sink);
  f.text('source');
  const points = f.raw('points');
  f.done();
  const path = [...f.path, 'points'];
  const rows = numberRows(points, path, sink);
  if (!rows || !xUnit || !yUnit) return undefined;
  if (rows.length < 2 || rows.length > maxPoints || rows.some((row) => row.length !== 2)) {
    sink.report(path, `a curve has 2 to ${maxPoints} points of two numbers`, '[[0, 52], [80, 46]]');
    return undefined;
  }
  const x = rows.map((row) => row[0] ?? NaN);
  const y = rows.map((row) => row[1] ?? NaN);
  const falls = x.findIndex((one, at) => at > 0 && !(one > (x[at - 1] ?? NaN)));
  if (falls > 0) {
    sink.report(
      [...path, falls],
      'the first numbers of the points must rise',
      `${x[falls]} does not`,
    );
    return undefined;
  }
  return { name, x, y, xUnit, yUnit };
}

function numberRows(raw: unknown, path: Path, sink: Sink): readonly number[][] | undefined {
  const rows: number[][] = [];
  const list: readonly unknown[] = Array.isArray(raw) ? raw : [];
  for (const row of list) {
    const numbers: readonly unknown[] = Array.isArray(row) ? row : [];
    const good = numbers.filter((one) => typeof one === 'number' && Number.isFinite(one));
    if (good.length !== numbers.length || numbers.length === 0) break;
    rows.push(good as number[]);
  }
  if (Array.isArray(raw) && rows.length === list.length) return rows;
  sink.report([...path, rows.length], 'expected rows of numbers', '[[0, 52], [80, 46]]');
  return undefined;
}

function readModel(f: Fields, library: LibraryBuilder, sink: Sink): void {
  const name = f.text('model') ?? '';
  const variables = readVariables(f.raw('variables'), sink);
  const loadings = numberRows(f.raw('loadings'), ['loadings'], sink);
  const variances = numberRows([f.raw('variances')], ['variances'], sink)?.[0];
  const limits = f.map('limits');
  readConstants(limits, `${name}.`, library.constants, sink);
  f.text('fitted');
  f.text('from');
  if (!variables || !loadings || !variances) return;
  if (library.models.has(name)) {
    sink.report(['model'], `there is a model ${name} already`);
    return;
  }
  if (loadings.some((row) => row.length !== variables.length))
    sink.report(
      ['loadings'],
      `each row has one number for each of the ${variables.length} variables`,
    );
  else if (variances.length !== loadings.length || variances.some((one) => !(one > 0)))
    sink.report(['variances'], 'one positive number for each row of loadings');
  else library.models.set(name, { name, variables, loadings, variances });
}

function readVariables(raw: unknown, sink: Sink): readonly ModelVariable[] | undefined {
  const list: readonly unknown[] = Array.isArray(raw) ? raw : [];
  const found: ModelVariable[] = [];
  for (const [at, item] of list.entries()) {
    const path = ['variables', at];
    if (!isMap(item)) break;
    const f = createFields(item, path, sink);
    const tag = f.required('tag', f.text('tag'), 'tag: FT101');
    const mean = readQuantity(f.raw('mean'), [...path, 'mean'], sink);
    const sigma = readQuantity(f.raw('sigma'), [...path, 'sigma'], sink);
    f.done();
    if (tag === undefined || !mean || !sigma) return undefined;
    const step = isPoint(mean.unit) ? differenceUnit(mean.unit) : mean.unit;
    if (!(sigma.value > 0) || differenceUnit(sigma.unit).text !== step.text) {
      sink.report([...path, 'sigma'], `sigma is positive and in ${step.text || 'plain numbers'}`);
      return undefined;
    }
    found.push({ tag, unit: mean.unit, mean: mean.value, sigma: sigma.value });
  }
  if (
    Array.isArray(raw) &&
    list.length > 0 &&
    found.length === list.length &&
    list.length <= maxVariables
  )
    return found;
  sink.report(
    ['variables'],
    `a list of 1 to ${maxVariables} variables`,
    '- {tag: FT101, mean: 52 m3/h, sigma: 1.2 m3/h}',
  );
  return undefined;
}
