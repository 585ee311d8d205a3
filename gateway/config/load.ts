import type { RuleProblem } from '../contract/index.js';
import { limits } from '../limits.js';
import type { DeviceResult } from './devices.js';
import { readConfig } from './include.js';
import { outerShape } from './keys-root.js';
import { draftLinks, resolveLink, type LinkDraft } from './links.js';
import type { SurveyPlan } from './learned.js';
import type {
  Config,
  ConfigHost,
  ConfigProblem,
  LinkConfig,
  LoadedConfig,
  LocalPaths,
} from './model.js';
import { partsWith, without, type Part } from './parts.js';
import { readRules } from './rules.js';
import { readControl, readState, readGateway, readJournal } from './sections.js';
import { Secrets } from './secrets.js';
import { Session } from './session.js';
import { checkRates } from './outage.js';
import { readSinks } from './sinks.js';
import { where } from './include.js';
import { placed } from './problems.js';
import { eachScalar, pathText, type Path, type Ref } from './tree.js';
import { check, checkOf } from './validate.js';
import { readWrites } from './writes.js';

/**
 * Reads and checks a configuration. Never rejects for what was typed: all problems come back at once,
 * each with its place. A secret is in no problem, no warning, and in clear in no hash.
 */
export async function loadConfig(
  file: string,
  host: ConfigHost,
  leftOut: ReadonlySet<Part> = new Set(),
): Promise<LoadedConfig> {
  const session = new Session(host, file);
  const { problems, files } = session;
  const whole = await readConfig(session, file);
  const root = whole && without(whole, leftOut);
  const built = root && (await build(session, root, file));
  if (!built || problems.errors > 0) {
    const errors = problems.found('error', files);
    return {
      ok: false,
      problems: [...errors.map(({ problem }) => problem), ...problems.list('warning', files)],
      parts: built && partsWith(whole, errors),
      surveys: built?.surveys ?? [],
      local: built?.local,
    };
  }
  return { ok: true, warnings: problems.list('warning', files), ...built };
}

interface Built {
  readonly config: Config;
  readonly surveys: readonly SurveyPlan[];
  readonly local: LocalPaths;
  place: (problem: RuleProblem, severity: 'error' | 'warning') => ConfigProblem;
  placeOf: (path: Path, message: string) => ConfigProblem;
}

async function build(session: Session, root: Ref, file: string): Promise<Built> {
  const { problems } = session;
  check(root, checkOf(outerShape), problems);
  refuseSecretsElsewhere(session, root);
  warnOfCutPasswords(session, root);
  const gateway = readGateway(root.child('gateway'));
  const drafts = await draftLinks(session, root.child('links'));
  const sinkRefs = root.child('sinks');
  const secrets = await Secrets.fetch(session, [...drafts.map(({ ref }) => ref), sinkRefs]);
  checkDeviceNames(session, drafts);
  const journal = readJournal(session, root.child('journal'), file);
  const surveys: SurveyPlan[] = [];
  const links: LinkConfig[] = [];
  const devices: DeviceResult[] = [];
  for (const draft of drafts) {
    const resolved = await resolveLink(session, secrets, draft, journal.path);
    if (resolved.config) links.push(resolved.config);
    if (resolved.survey) surveys.push(resolved.survey);
    devices.push(...resolved.devices);
  }
  checkCount(session, root.child('links'), devices);
  checkEndpoints(session, root.child('links'), links);
  const writes = readWrites({ session, secrets }, root.child('writes'), devices, links);
  const rules = await readRules(session, root.child('rules'), root.at);
  const sinks = await readSinks({ session, secrets, gateway }, sinkRefs);
  checkRates(session, sinkRefs, sinks, links);
  const { control, sockets } = readControl(session, root.child('control'), file);
  const state = readState(session, root.child('gateway'), file);
  const config: Config = {
    gateway,
    links,
    writes,
    rules: rules.sources,
    // Not the files: a rule that moved to another file is the same rule.
    rulesHash: session.host.hash(JSON.stringify(rules.sources.map(({ rule }) => rule))),
    writesHash: session.host.hash(writesText(writes)),
    roles: readRoles(root.child('roles')),
    journal,
    sinks,
    control,
    sockets,
    state,
    files: session.files,
    revision: session.revision(),
  };
  return {
    config,
    surveys,
    local: { journal: journal.path, control, sockets, state },
    place: (problem, severity) => rules.place(problem, severity),
    placeOf: (path, message) =>
      placed(nearest(root, drafts, path).at, pathText(path), message, undefined, 'warning'),
  };
}

function writesText(writes: Config['writes']): string {
  const permits = [...writes.values()].map((permit) => ({ ...permit, allow: [...permit.allow] }));
  return JSON.stringify(permits.sort((a, b) => (a.tag < b.tag ? -1 : 1)));
}

/** What a path leads to; tags of a profile stand in the profile. */
function nearest(root: Ref, drafts: readonly LinkDraft[], path: Path): Ref {
  const [section, name, ...rest] = path;
  const draft = section === 'links' ? drafts.find((one) => one.name === name) : undefined;
  return draft ? draft.ref.descend(rest) : root.descend(path);
}

function readRoles(ref: Ref): ReadonlyMap<string, readonly string[]> {
  return new Map(
    [...ref.children()].map(([role, users]) => [
      role,
      users.items().map(({ value }) => String(value)),
    ]),
  );
}

/** A secret that is not filled in would end up as a file name or a topic. */
function refuseSecretsElsewhere({ problems }: Session, root: Ref): void {
  for (const [key, ref] of root.children()) {
    if (key === 'links' || key === 'sinks' || !ref.node) continue;
    eachScalar(ref.node, ({ value }, path) => {
      if (typeof value === 'string' && value.includes('${secret:'))
        problems.error(ref.descend(path), 'secrets are filled in under links and sinks only');
    });
  }
}

const passwordKey = /(password|passphrase|secret|token)$/i;

/** `password: abc #1` is `abc` for YAML, and nobody sees why the login fails. */
function warnOfCutPasswords({ problems }: Session, root: Ref): void {
  for (const section of [root.child('links'), root.child('sinks')]) {
    if (!section.node) continue;
    eachScalar(section.node, (scalar, path) => {
      const { at, end, style, source } = scalar;
      if (style !== 'plain' || !passwordKey.test(String(path.at(-1)))) return;
      if (!/^[ \t]+#/.test(at.file.text.slice(end, end + 80)) || source.startsWith('${')) return;
      problems.warn(
        section.descend(path),
        'the # and what follows it are a comment and do not belong to it',
        'put it in quotes if they do',
      );
    });
  }
}

/** Rules and topics name devices without their link. */
function checkDeviceNames({ problems }: Session, drafts: readonly LinkDraft[]): void {
  const seen = new Map<string, Ref>();
  for (const { ref } of drafts) {
    for (const [name, device] of ref.child('devices').children()) {
      const first = seen.get(name);
      if (first)
        problems.errorAtKey(
          device,
          `a device named "${name}" is on another link too`,
          `first ${where(first.keyAt)}; names of devices are unique in the gateway`,
        );
      else seen.set(name, device);
      if (name === 'rules')
        problems.errorAtKey(device, '"rules" is the device of derived tags', 'choose another name');
    }
  }
}

/** A serial port has one user, and on a line without ids two links would take each other's answers. */
function checkEndpoints({ problems }: Session, ref: Ref, links: readonly LinkConfig[]): void {
  const first = new Map<string, string>();
  for (const { name, endpoint } of links) {
    const { scheme, host, port, serial } = endpoint;
    const isLine = serial !== undefined || scheme.includes('+');
    const place = serial?.path ?? `${scheme}://${host}:${String(port)}`;
    const other = first.get(place);
    if (other === undefined) {
      if (host !== '' || serial) first.set(place, name);
    } else if (isLine)
      problems.error(
        ref.child(name).child('endpoint'),
        `the link ${other} has this endpoint already`,
        'put all devices of a line on one link',
      );
    else
      problems.warn(
        ref.child(name).child('endpoint'),
        `the link ${other} goes there too: that takes two connections`,
        'put its devices on one link, unless the device has room for both',
      );
  }
}

function checkCount({ problems }: Session, ref: Ref, devices: readonly DeviceResult[]): void {
  const count = devices.reduce((sum, { names }) => sum + names.length, 0);
  if (count > limits.tags)
    problems.error(ref, `${count} tags, but a gateway takes ${limits.tags}`, 'use a second one');
}
