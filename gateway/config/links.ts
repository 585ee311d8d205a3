import {
  own,
  asGatewayError,
  backfillClass,
  ms,
  parseDuration,
  parseEndpoint,
  subscribedClass,
  type DriverModule,
  type DurationMs,
  type Endpoint,
  type Source,
} from '../contract/index.js';
import { limits } from '../limits.js';
import { resolveDevice, type DeviceResult } from './devices.js';
import { namePattern } from './fields.js';
import { linkShape } from './keys-link.js';
import { fingerprintOf, parseLearned, type Learned, type SurveyPlan } from './learned.js';
import type { DriverRef, LinkConfig } from './model.js';
import { answerOf, checksOf, madeBy, report, type DriverChecks } from './drivers.js';
import { Profiles } from './profiles.js';
import type { Secrets } from './secrets.js';
import type { Session } from './session.js';
import { budgetOf } from './budget.js';
import { didYouMean } from './suggest.js';
import { readTls } from './tls.js';
import { plain, type Entry, type MapNode, type Ref } from './tree.js';
import { check, looseCheckOf } from './validate.js';

/** A link with its driver at hand and its profiles filled in, before secrets and meaning. */
export interface LinkDraft {
  readonly name: string;
  readonly ref: Ref;
  readonly driver: DriverModule | undefined;
  readonly driverRef: DriverRef;
  readonly checks: DriverChecks | undefined;
  readonly devices: readonly DeviceDraft[];
}

export interface DeviceDraft {
  readonly name: string;
  readonly ref: Ref;
  readonly complete: boolean;
}

/** A link as far as its devices see it. */
export interface LinkContext {
  readonly session: Session;
  readonly secrets: Secrets;
  readonly link: string;
  readonly driver: DriverModule | undefined;
  readonly checks: DriverChecks | undefined;
  /** What parseLink gave; undefined when it refused. */
  readonly parsed: { readonly config: unknown } | undefined;
  readonly scanClasses: ReadonlyMap<string, DurationMs>;
}

/** Loads drivers and profiles. */
export async function draftLinks(session: Session, links: Ref): Promise<LinkDraft[]> {
  const profiles = new Profiles(session);
  const drafts: LinkDraft[] = [];
  for (const [name, ref] of links.children()) {
    if (ref.node?.kind !== 'map') continue;
    const driverRef: DriverRef = {
      name: ref.child('driver').text ?? '',
      inProcess: ref.child('inProcess').value === true,
    };
    const driver = await findDriver(session, ref, driverRef);
    const checks = driver && checksOf(session, ref, driver);
    check(ref, checks?.link ?? looseCheckOf(linkShape), session.problems);
    const devices: DeviceDraft[] = [];
    const entries = new Map<string, Entry>();
    const list = ref.child('devices');
    for (const [device, at] of list.children()) {
      const { ref: full, complete } = await profiles.expand(at, device, driver?.name);
      devices.push({ name: device, ref: full, complete });
      // Without its parameters a profile has placeholders left, which nobody typed.
      const value = complete ? full.node : at.node;
      if (value) entries.set(device, { key: at.keyAt, value });
    }
    const whole = ref.with(filled(ref.node, entries));
    drafts.push({ name, ref: whole, driver, driverRef, checks, devices });
  }
  return drafts;
}

function filled(link: MapNode, devices: Map<string, Entry>): MapNode {
  const entry = link.entries.get('devices');
  if (entry?.value.kind !== 'map') return link;
  const value: MapNode = { ...entry.value, entries: devices };
  return { ...link, entries: new Map([...link.entries, ['devices', { key: entry.key, value }]]) };
}

async function findDriver(
  session: Session,
  link: Ref,
  { name, inProcess }: DriverRef,
): Promise<DriverModule | undefined> {
  const { host, problems } = session;
  const ref = link.child('driver');
  if (name === '') return undefined;
  const typed = link.child('inProcess');
  if (typed.node && host.driverNames.includes(name))
    problems.errorAtKey(
      typed,
      `the driver ${name} comes with the gateway`,
      'only drivers of packages can be put into its process',
    );
  try {
    const driver = await host.driver(name, inProcess);
    if (driver) return driver;
  } catch (thrown) {
    const { code, message, fields } = asGatewayError(thrown);
    const isReason = code === 'driver-unknown';
    problems.error(
      ref,
      isReason ? message : `the driver "${name}" cannot be loaded: ${message}`,
      fields['hint'] as string | undefined,
    );
    return undefined;
  }
  problems.error(
    ref,
    `no driver named "${name}"`,
    didYouMean(name, host.driverNames, 'drivers at hand'),
  );
  return undefined;
}

export interface ResolvedLink {
  readonly config: LinkConfig | undefined;
  readonly devices: readonly DeviceResult[];
  /** How its devices can be asked what they have; undefined where they cannot. */
  readonly survey: SurveyPlan | undefined;
}

/**
 * Gives a link its meaning; devices and tags are returned too when the link itself is wrong.
 * @param journal path of the journal: what devices said of themselves lies beside it
 */
export async function resolveLink(
  session: Session,
  secrets: Secrets,
  draft: LinkDraft,
  journal: string,
): Promise<ResolvedLink> {
  const { name, ref, driver, driverRef, checks } = draft;
  const before = session.problems.errors;
  const address = driver && readEndpoint(session, secrets, ref.child('endpoint'), driver);
  const endpoint = address && (await withTls(session, secrets, ref, address));
  const scanClasses = readScanClasses(session, ref.child('scanClasses'));
  const parsed = driver && checks && parseLink(session, secrets, ref, driver, endpoint);
  const context = { session, secrets, link: name, driver, checks, parsed, scanClasses };
  const learned = parsed && (await readLearned(session, journal, name));
  let count = 0;
  const devices = draft.devices.map((device) => {
    const result = resolveDevice(context, device, count, learned?.content?.devices[device.name]);
    count += result.bindings.length;
    return result;
  });
  const survey =
    driver && endpoint && parsed && learned
      ? answerOf(context, driver, 'link', ref, () =>
          surveyOf(
            { link: name, driver, driverRef, endpoint, config: parsed.config },
            devices,
            learned,
          ),
        )?.value
      : undefined;
  if (survey?.wanted && !survey.before)
    session.problems.warn(
      ref,
      'what its devices have is not known yet',
      'they are asked when the gateway starts; millrace learn FILE asks them now',
    );
  if (session.problems.errors > before || !driver || !endpoint || !parsed || !ref.node)
    return { config: undefined, devices, survey };
  if (count === 0 && driver.name !== 'simulator')
    session.problems.warn(ref, 'nothing is read on this link', 'give its devices tags');
  const parts = {
    name,
    driver,
    driverRef,
    endpoint,
    config: parsed.config,
    devices: devices.map(({ config }) => config),
    bindings: devices.flatMap(({ bindings }) => bindings),
  };
  const known = answerOf(context, driver, 'link', ref, () => {
    checkConflicts(session, ref, parts);
    checkBudget(session, ref, parts);
    return knownOf(parts);
  })?.value;
  if (!known) return { config: undefined, devices, survey };
  const content = JSON.stringify([
    driver.name,
    plain(ref.node),
    secrets.fingerprint(ref.node),
    endpoint.tls,
    learned?.content ?? null,
  ]);
  return { config: { ...parts, ...known, hash: session.host.hash(content) }, devices, survey };
}

/** What the driver knows beforehand, so that nobody asks it while the link runs. */
export function knownOf({
  driver,
  config,
  bindings,
}: Pick<Parameters<typeof budgetOf>[0], 'driver' | 'config' | 'bindings'>): Pick<
  LinkConfig,
  'limits' | 'weaknesses' | 'writeOnly'
> {
  return {
    limits: driver.limits(config),
    weaknesses: (driver.weaknesses?.(config) ?? []).map(({ message }) => message),
    writeOnly: bindings
      .filter(({ address }) => driver.isWriteOnly?.(config, address) === true)
      .map(({ tag }) => tag),
  };
}

/** Where what the devices of this link said lies, and what it is. */
interface LearnedFile {
  readonly path: string;
  readonly content: Learned | undefined;
}

async function readLearned(
  session: Session,
  journal: string,
  link: string,
): Promise<LearnedFile | undefined> {
  // Another name is a problem already, and no name of a file.
  if (!new RegExp(namePattern).test(link)) return undefined;
  const { host } = session;
  const path = host.resolve(journal, `learned/${link}.json`);
  const text = await host.readIfThere(path);
  const content = parseLearned(text);
  if (content) session.digest(`learned ${link}`, JSON.stringify(content));
  return { path, content };
}

function surveyOf(
  link: Pick<SurveyPlan, 'link' | 'driver' | 'driverRef' | 'endpoint' | 'config'>,
  devices: readonly DeviceResult[],
  { path, content }: LearnedFile,
): SurveyPlan | undefined {
  if (!link.driver.parseExpansion) return undefined;
  const asked = devices.map(({ config: { name }, bindings, expansion }) => ({
    name,
    tags: bindings,
    expansion,
  }));
  const learnsUnits = link.driver.learnsUnits?.(link.config) ?? false;
  const wanted = learnsUnits || asked.some(({ expansion }) => expansion !== undefined);
  const isKnown = asked.every(
    ({ name, expansion }) => own(content?.devices, name)?.from === fingerprintOf(expansion),
  );
  const before = isKnown ? content : undefined;
  return { ...link, devices: asked, learnsUnits, wanted, before, earlier: content, path };
}

/** Tags that do not go together, by the driver. */
function checkConflicts(
  { problems }: Session,
  ref: Ref,
  { driver, config, devices, bindings }: Parameters<typeof budgetOf>[0],
): void {
  if (!driver.conflicts || problems.errors > 0) return;
  const tags = new Map(devices.flatMap((device) => device.tags.map((tag) => [tag.name, tag])));
  const scanned = bindings.map((binding) => ({
    ...binding,
    scanClass: tags.get(binding.name)?.scanClass ?? '',
  }));
  for (const { tag, problem } of driver.conflicts(config, scanned)) {
    const found = tags.get(bindings.find((binding) => binding.tag === tag)?.name ?? '');
    if (!found) continue;
    const at = ref.child('devices').child(found.device).child('tags').child(found.local);
    problems.error(at.descend(problem.path), problem.message, problem.hint);
  }
}

/** More than this is refused on a line of known speed, and above the second share there is a warning. */
const fullLine = 1;
const tightLine = 1 - limits.probeShare;

function checkBudget({ problems }: Session, ref: Ref, parts: Parameters<typeof budgetOf>[0]): void {
  if (problems.errors > 0) return;
  const budget = budgetOf(parts);
  if (!budget || budget.share <= tightLine) return;
  const [worst] = [...budget.classes].sort((a, b) => b.share - a.share);
  const message =
    `the scans need ${percent(budget.share)} of the time on this line` +
    (worst ? `, those of ${worst.scanClass} alone ${percent(worst.share)}` : '');
  const place = ref.has('scanClasses') ? ref.child('scanClasses') : ref;
  if (budget.share > fullLine)
    problems.error(place, message, 'scan slower, read fewer tags, or use a faster line');
  else problems.warn(place, message, 'devices that do not answer will delay the others');
}

function percent(share: number): string {
  return `${String(Math.ceil(share * 100))} %`;
}

function readEndpoint(
  session: Session,
  secrets: Secrets,
  ref: Ref,
  driver: DriverModule,
): Endpoint | undefined {
  const { text } = ref;
  if (text === undefined || text === '') return undefined;
  // Without a prototype, so that `constructor://` is no scheme.
  const schemes = Object.assign(Object.create(null), driver.schemes) as DriverModule['schemes'];
  const result = parseEndpoint(secrets.fill(text.trim()), schemes);
  if (!result.ok) {
    report(session, secrets, result.problems, () => ref);
    return undefined;
  }
  const { scheme, host } = result.value;
  const kind = own(driver.schemes, scheme);
  const port = typeof kind === 'object' ? 'port' in kind && kind.port : kind;
  if (host === '' && typeof port === 'number' && port > 0) {
    const example = `write it like ${scheme}://10.0.0.5:${String(port)}`;
    session.problems.error(ref, 'the endpoint names no host', example);
    return undefined;
  }
  return { ...result.value, text };
}

/** Where the scheme is TLS, with what the certificates are. */
async function withTls(
  session: Session,
  secrets: Secrets,
  ref: Ref,
  endpoint: Endpoint,
): Promise<Endpoint> {
  const own = ref.child('tls');
  const isTls = endpoint.scheme.startsWith('tls');
  if (own.node && !isTls)
    session.problems.errorAtKey(own, `tls with ${endpoint.scheme}://`, 'use a tls:// endpoint');
  if (!isTls) return endpoint;
  const pem = await readTls(session, secrets, own);
  if (pem?.cert === undefined && session.problems.errors === 0)
    session.problems.warn(
      ref.child('endpoint'),
      'the device cannot tell who asks: there is no client certificate',
      'add tls: { cert: gateway.pem, key: "${secret:gateway-key}" }',
    );
  const { ca, cert, key } = pem ?? {};
  return { ...endpoint, tls: { ca, cert, key, serverName: own.child('serverName').text } };
}

function readScanClasses(session: Session, ref: Ref): ReadonlyMap<string, DurationMs> {
  const classes = new Map<string, DurationMs>();
  for (const [name, at] of ref.children()) {
    const period = parseDuration(at.text ?? '');
    if (period !== undefined && period < limits.scanPeriodMs)
      session.problems.error(
        at,
        `${at.text ?? ''} is shorter than the shortest period`,
        `use ${limits.scanPeriodMs}ms or more`,
      );
    if (name === subscribedClass || name === backfillClass)
      session.problems.errorAtKey(at, `"${name}" has a meaning of its own`, 'choose another name');
    classes.set(name, period ?? ms(1_000));
  }
  if (classes.size === 0) classes.set('default', ms(1_000));
  return classes;
}

function parseLink(
  session: Session,
  secrets: Secrets,
  ref: Ref,
  driver: DriverModule,
  endpoint: Endpoint | undefined,
): { readonly config: unknown } | undefined {
  if (!ref.node) return undefined;
  const typed = secrets.plain(ref.node) as Source;
  const own = Object.keys(driver.schema.link.properties).filter((key) => Object.hasOwn(typed, key));
  const source = Object.fromEntries(own.map((key) => [key, typed[key]]));
  const made = madeBy({ session, secrets }, driver, 'link', ref, () => {
    const result = driver.parseLink(source, endpoint);
    for (const { path, message, hint } of (result.ok && driver.weaknesses?.(result.value)) || [])
      session.problems.warn(ref.descend(path), message, hint);
    return result;
  });
  return made && { config: made.value };
}
