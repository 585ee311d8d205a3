import type {
  Bands,
  DriverLimits,
  DriverModule,
  DurationMs,
  Endpoint,
  EventTerms,
  RuleProblem,
  RuleSource,
  Subscribed,
  TagBinding,
  TagType,
} from '../contract/index.js';
import type { SurveyPlan } from './learned.js';
import type { May } from './may.js';
import type { SinkTls } from './tls.js';

/** A loaded, checked configuration: everything resolved, nothing left to guess. */
export interface Config {
  readonly gateway: GatewayConfig;
  readonly links: readonly LinkConfig[];
  /** By full tag name. What is not here is read-only. */
  readonly writes: ReadonlyMap<string, WritePermit>;
  readonly rules: readonly RuleSource[];
  /** Hashes over the rules as written, and over what may be written: equal = unchanged. */
  readonly rulesHash: string;
  readonly writesHash: string;
  /** Users by role. */
  readonly roles: ReadonlyMap<string, readonly string[]>;
  readonly journal: JournalConfig;
  /** Folder of what the gateway remembers of trips, beside the journal. */
  readonly state: string;
  readonly sinks: readonly MqttSinkConfig[];
  /** Path of the CLI's Unix socket, through which everything may be done. */
  readonly control: string;
  /** Further ones, through which less may be done. */
  readonly sockets: readonly SocketConfig[];
  /** All files that were read, for messages and reload. */
  readonly files: readonly string[];
  /** Short hash over everything that was read. */
  readonly revision: string;
}

/** What a running gateway goes by: the rules are compiled, and the files are closed. */
export type RunningConfig = Omit<Config, 'rules' | 'files'>;

export interface GatewayConfig {
  readonly id: string;
  readonly site: string | undefined;
  readonly language: 'en' | 'zh';
  /** How interlocks begin where nothing is remembered at all. */
  readonly firstStart: 'normal' | 'tripped';
}

/** How a driver is found. */
export interface DriverRef {
  /** Of ours, or of a package. */
  readonly name: string;
  /** It runs in the process of the gateway, though it does not come with it. */
  readonly inProcess: boolean;
}

/**
 * What a running link asks the module of its driver. All else that is pure was asked when the configuration was checked, and
 * stands in {@link RunningLink}: a module that blocks or died cannot be asked, and what it said counts on.
 */
export type LinkDriver = Pick<
  DriverModule,
  'name' | 'isolated' | 'plan' | 'subscribed' | 'writeTimeout' | 'describe' | 'create'
>;

/** A link as it runs. */
export interface RunningLink {
  readonly name: string;
  readonly driver: LinkDriver;
  readonly driverRef: DriverRef;
  readonly endpoint: Endpoint;
  /** What `driver.parseLink` gave. */
  readonly config: unknown;
  readonly limits: DriverLimits;
  /** Security weaknesses in words. */
  readonly weaknesses: readonly string[];
  /** Tags that nobody can read, by the `tag` of their bindings. */
  readonly writeOnly: readonly number[];
  readonly devices: readonly DeviceConfig[];
  /** Bindings of all tags that are read from the device, `tag` counted within the link. */
  readonly bindings: readonly TagBinding<unknown>[];
  /** Hash of everything that bears on this link: equal = need not be restarted. */
  readonly hash: string;
}

export interface LinkConfig extends RunningLink {
  readonly driver: DriverModule;
}

export interface DeviceConfig {
  readonly name: string;
  readonly link: string;
  readonly tags: readonly TagConfig[];
  /** Local name of the tag that the bare device name stands for in rules. */
  readonly primary: string | undefined;
  /** Which events and alarms it tells of; undefined = none. */
  readonly events: EventTerms | undefined;
}

export interface TagConfig {
  /** `DEVICE.local`. */
  readonly name: string;
  readonly local: string;
  readonly device: string;
  readonly link: string;
  readonly type: TagType;
  /** Engineering unit as typed. */
  readonly unit: string | undefined;
  readonly description: string | undefined;
  /** Engineering value = raw × scale + offset. */
  readonly scale: number;
  readonly offset: number;
  /** Range of the instrument in engineering units; outside it the quality is uncertain. */
  readonly span: readonly [number, number] | undefined;
  /** What lies beyond the span, where the configuration says it. */
  readonly bands?: Bands;
  /** Is it said how the signal fails? `signal: digital` says that it cannot. */
  readonly isSignalKnown?: boolean;
  readonly enumeration: ReadonlyMap<number, string> | undefined;
  readonly scanClass: string;
  /** Of the scan class, or how often the device tells of changes at most. */
  readonly period: DurationMs;
  /** The device tells of it by itself. */
  readonly subscribed: Subscribed | undefined;
  /** In engineering units (percent of span is resolved); 0 = report every change. */
  readonly deadband: number;
  /** Report at least so often even without change; undefined = never for silence alone. */
  readonly maxSilence: DurationMs | undefined;
  /** Age at which the value is bad. */
  readonly stale: DurationMs;
  /** Not read from a device: a constant of the configuration. */
  readonly constant: number | undefined;
}

export type WriteSource = 'rules' | 'operator' | 'cloud';

export interface WritePermit {
  readonly tag: string;
  readonly allow: ReadonlySet<WriteSource>;
  /** In engineering units, inclusive. */
  readonly range: readonly [number, number] | undefined;
  /** Largest change a second, in engineering units; undefined = any. */
  readonly ratePerSecond: number | undefined;
  /** Read back `by` (default: the tag itself) and compare within this time; undefined: nobody reads it back. */
  readonly verify: { readonly by: string; readonly within: DurationMs } | undefined;
  /** The writer must say which value it expects to replace. */
  readonly expect: boolean;
}

/** A Unix socket for people who may do some things: whoever may open its file is one of them. */
export interface SocketConfig {
  readonly name: string;
  readonly path: string;
  readonly may: May;
  /** Roles of everybody who comes through it. */
  readonly roles: readonly string[];
}

export interface JournalConfig {
  readonly path: string;
  readonly sizeBytes: number;
  readonly age: DurationMs;
  /** Keep at least this share of the file system free, 0..1. */
  readonly freeDisk: number;
  /** Keep acknowledged samples on disk too; undefined = let the flash rest. */
  readonly historyKeep: DurationMs | undefined;
  /** Longest time between a sample and its commit. */
  readonly window: DurationMs;
}

export interface MqttSinkConfig {
  readonly name: string;
  readonly type: 'mqtt';
  /** Tried in turn. */
  readonly urls: readonly string[];
  readonly version: '5' | '3.1.1';
  readonly clientId: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: SinkTls | undefined;
  /** Topic root with its placeholders filled in. */
  readonly root: string;
  readonly payload: 'frame' | 'values' | 'rows';
  /** Most messages of the history a second; undefined: as many as the broker takes beside live data. */
  readonly historyPerSecond: number | undefined;
  readonly historyOrder: 'live-first' | 'in-order';
  readonly keepAlive: DurationMs;
  readonly commands: { readonly allow: ReadonlySet<string> };
  readonly hash: string;
}

/** A problem with its place, as `validate` prints it. Lines and columns count from 1. */
export interface ConfigProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** `links.field-bus.devices.FT101.tags.flow.address` */
  readonly path: string;
  readonly message: string;
  readonly hint: string | undefined;
  readonly severity: 'error' | 'warning';
  /**
   * The line of the file, of problems in expressions of rules only: a line of another part of the
   * configuration may hold what must not be printed.
   */
  readonly excerpt?: string;
}

export type LoadedConfig =
  | {
      readonly ok: true;
      readonly config: Config;
      readonly warnings: readonly ConfigProblem[];
      readonly surveys: readonly SurveyPlan[];
      readonly local: LocalPaths;
      /** Gives a rule problem its place in its file. */
      place: (problem: RuleProblem, severity: 'error' | 'warning') => ConfigProblem;
      /** A remark on what stands at a path, or on the nearest thing to it that was typed. */
      placeOf: (path: readonly (string | number)[], message: string) => ConfigProblem;
    }
  | {
      readonly ok: false;
      readonly problems: readonly ConfigProblem[];
      /** Parts that can be left out, with all of the errors in each; undefined: some are elsewhere. */
      readonly parts?: ReadonlyMap<string, readonly ConfigProblem[]> | undefined;
      /** Of the links that are right themselves: what is missing may be what their devices know. */
      readonly surveys: readonly SurveyPlan[];
      /** Undefined when there is no configuration to be read at all. */
      readonly local: LocalPaths | undefined;
    };

/** Where the gateway keeps its own on this machine. */
export interface LocalPaths {
  readonly journal: string;
  /** The CLI's Unix socket. */
  readonly control: string;
  readonly sockets: readonly SocketConfig[];
  /** Folder of what is remembered of trips. */
  readonly state: string;
}

/** What the loader needs from outside; it reads no file by itself. */
export interface ConfigHost {
  /** The text of a file; throws a GatewayError `config-unreadable`. */
  readText: (path: string) => Promise<string>;
  /** The text of a file; undefined when it cannot be read, which is no problem. */
  readIfThere: (path: string) => Promise<string | undefined>;
  /** Paths that match a pattern like `rules/*.yaml`, sorted. */
  glob: (pattern: string) => Promise<readonly string[]>;
  /** Is `path` in the folder of `file` or below it, links followed, or does it come with the gateway? */
  isOwn: (file: string, path: string) => Promise<boolean>;
  /** Resolves `path` against the folder of `file`. */
  resolve: (file: string, path: string) => string;
  /** The value of `${secret:NAME}`; undefined when it is not provided. */
  secret: (name: string) => Promise<string | undefined>;
  /**
   * The driver of that name; undefined when there is none. Rejects with the reason, and in `fields.hint` what to do, when
   * there is one that cannot be used.
   * @param inProcess is one that does not come with the gateway to run in its process?
   */
  driver: (name: string, inProcess: boolean) => Promise<DriverModule | undefined>;
  /** Names of the drivers at hand, for did-you-mean. */
  readonly driverNames: readonly string[];
  /** Profiles that come with a driver, by name: paths of their files. */
  profilesOf: (driver: string) => Promise<ReadonlyMap<string, string>>;
  /** SHA-256, hexadecimal. */
  hash: (text: string) => string;
}

/** What must be done to get from one configuration to another. */
export interface ConfigDiff {
  readonly linksAdded: readonly string[];
  readonly linksRemoved: readonly string[];
  readonly linksChanged: readonly string[];
  readonly sinksAdded: readonly string[];
  readonly sinksRemoved: readonly string[];
  readonly sinksChanged: readonly string[];
  readonly rulesChanged: boolean;
  readonly writesChanged: boolean;
  /** Keys that need a restart of the process, such as `gateway.id`, `journal.path`. */
  readonly restart: readonly string[];
}
