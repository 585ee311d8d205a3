import { GatewayError } from './contract/errors.js';

/**
 * Every bound of the program. On overflow work is shed by the policy that stands beside the bound,
 * counted, and reported as a health condition.
 */
export const limits = {
  /**
   * Gap between two ticks: inputs that arrive closer are evaluated together. What completes scans that
   * a tick has cut in two counts the gap from the last tick that cut none.
   */
  tickGapMs: 10,
  /** A tick waits so long for the rest of what has begun to come in: a scan is many answers. */
  tickSettleMs: 5,
  /** Longest time between two ticks while nothing happens: staleness, silence and timers are checked. */
  tickIdleMs: 250,
  /** Read groups waiting for a tick. Shed: the newest, its tags go stale by themselves; counted. */
  inboxGroups: 4_096,
  /**
   * Samples of one subscription that wait for a tick, beside one of each tag. Shed: the older of two of one
   * tag; counted as lost.
   */
  subscribedSamples: 50_000,
  /**
   * Layers of samples that are still handed over when a link goes down, one a tick, before its tags are bad:
   * less than the first wait before a reconnect.
   */
  endingLayers: 20,
  /** How long a device may take to be asked for all tags of a subscription. */
  subscribeMs: 60_000,
  /** Alarms of devices that stand. Shed: the newest; their events are recorded all the same. */
  deviceAlarms: 2_000,
  tripBeforeMs: 60_000,
  tripAfterMs: 30_000,
  tripSamples: 20_000,
  tripEvents: 1_000,
  openTripRecords: 100,
  tripRecordsAtOnce: 2,
  /** Records begun in one tick: of all that may be open, within a second. */
  tripsBegunAtOnce: 25,
  tripFiles: 200,
  /** States of rules that wait for a commit. Not noted beyond; logged. Reserved on the disk: the first part. */
  latchLogBytes: 4_194_304,
  latchLogReservedBytes: 262_144,
  /** The longest that a trip waits for its note. */
  noteMs: 10,
  /** Notes that a slow disk has not taken yet. */
  notesWaiting: 1_000,
  /** Tags in one gateway. Refused by `validate`. */
  tags: 200_000,
  /** Shortest scan period. Refused by `validate`. */
  scanPeriodMs: 20,
  /**
   * Scans of one period that begin together, on different links. One alone would wake the process for each
   * answer; all at once would make bursts. (Measured: waking costs more than decoding.)
   */
  staggerBurst: 10,
  /** Reconnect: first wait, growth, longest wait; each wait is cut by a random share of up to `backoffJitter`. */
  backoffFirstMs: 500,
  backoffFactor: 2,
  backoffMaxMs: 15_000,
  backoffJitter: 0.3,
  /** The same for sinks. One TCP connect a second and a half costs nothing; live data are back within 2 s. */
  sinkBackoffMaxMs: 1_500,
  /** A broker that takes us and loses us more often than this within a minute: waits double from the above up to a minute. */
  sinkLossesPerMinute: 3,
  /** Auth failures are not solved by hurry, and lock accounts. */
  backoffAuthMs: 60_000,
  /** A certificate that is not trusted: nobody is locked out, and a person is about to trust it. */
  backoffTrustMs: 15_000,
  /** Failures of a unit in a row before it is demoted, and the waits between its probes then. */
  demoteAfter: 2,
  probeFirstMs: 2_000,
  probeMaxMs: 60_000,
  /** Share of a link's time that devices which do not answer may take from those that do. */
  probeShare: 0.05,
  /** Shortest wait of a probe, for a device whose answers used to come fast. */
  probeWaitMs: 100,
  /** Answers after which `inFlight: auto` tries twice as many requests at once. */
  rampAfter: 20,
  /** Pieces that a trace of a link keeps until somebody fetches them. Shed: the oldest, counted. */
  traceFrames: 1_024,
  /** A trace that nobody fetches for so long ends. */
  traceIdleMs: 10_000,
  /** Time-outs in a row, without any answer on the link in between, before the link is re-opened. */
  linkTimeouts: 3,
  /** Extra reads to isolate bad addresses in one scan of one device. */
  splitReads: 64,
  /** A driver's thread that says nothing for so long after a call was given up hangs: it is ended, and started anew. */
  threadHangMs: 5_000,
  /**
   * What is on its way between a driver's thread and its streams, each way. Not taken in time, the stream is closed and
   * its link is in doubt; more is not written.
   */
  streamBytes: 1_048_576,
  /** Log lines, counts and notices of a driver's thread that were not heard yet. Shed: the newest, counted. */
  threadChatter: 1_024,
  /** Memory for the objects of a driver that is not ours, MiB; it ends, and is started again, when it needs more. */
  driverHeapMiB: 128,
  /** How long the module of a driver that is not ours may take to be loaded, and to answer once. It is given up then. */
  driverLoadMs: 10_000,
  driverAnswerMs: 2_000,
  /**
   * Longest rest of a module that was given up because it did not answer, before it is loaded again: each time it may
   * hold up the gateway once, so it grows. A reload of the configuration ends it.
   */
  driverRestMs: 600_000,
  /** So long before something that a link needs ends, its health warns: six weeks, time for whoever must order a new one. */
  expiryWarnMs: 3_628_800_000,
  /** How long a driver or a connection may take to close; then it is left behind. */
  closeMs: 2_000,
  /** How long refused tags rest before they are tried again: first, doubling, and at most. */
  refusedFirstMs: 2_000,
  refusedRetryMs: 600_000,
  /** Refusals in a row of what could be read before, until it counts as refused. */
  refusalsInARow: 2,
  /** How long an oddity of a device is shown after it was seen last, and how many. Shed: the oldest. */
  noticeMs: 600_000,
  notices: 8,
  /** Tags of one device of which it is kept why they are refused. Shed: the newest. */
  refusals: 1_000,
  /** Writes waiting on one link. Shed: the newest is refused with `too-many`. */
  pendingWrites: 256,
  /** Longest wait before an output that a rule holds is sent again to a device that is not reached. */
  heldRetryMs: 30_000,
  /** Samples in one block of a stream; a longer scan makes several. */
  blockSamples: 2_000,
  /** An open block is closed at this age even if its scan is not over. */
  blockAgeMs: 200,
  /** Group commit: shortest window (the longest is configured), and the pending bytes at which it is reached. */
  commitMinMs: 100,
  commitFullBytes: 4_194_304,
  /** Entries that are kept in memory while the disk does not take them. Shed: oldest samples, with a gap. */
  tailBytes: 33_554_432,
  /** Entries that the half that polls keeps until the journal has them. Shed: oldest samples, with a gap. */
  wallBytes: 33_554_432,
  /** Between two messages that say how far entries are safe, ms: so much more is sent twice after the north half was killed. */
  wallSafeMs: 100,
  /** On its way through the pipe between the halves before more is held back; and one message. */
  wallPipeBytes: 1_048_576,
  wallMessageBytes: 134_217_728,
  /** Alarms that went back to normal, of which a half that begins anew is told; the oldest ones give way. */
  wallNormalAlarms: 1_000,
  /** How often the halves say that they are well; after how long silence is an alarm, and after how long the other half is restarted. */
  wallBeatMs: 500,
  wallSilentMs: 1_000,
  wallHungMs: 10_000,
  /** A start waits so long for the half that stores; then the other one polls and trips alone, with the second copy of its memory. */
  startAloneMs: 30_000,
  /** The half that stores may take so long to open the journal. */
  wallOpenMs: 120_000,
  /** One half of the gateway waits so long for an answer of the other; for a reload, so long. */
  wallAnswerMs: 30_000,
  wallReloadMs: 300_000,
  /** The process that checks a configuration: heap, time, and how far it gives way to others. */
  checkHeapMiB: 1_024,
  checkMs: 240_000,
  checkNice: 10,
  /** What is done beside polls and trips is done in slices of this length, ms. */
  sliceMs: 2,
  /** Between two copies of the tag image for those who list tags, ms. */
  imageCopyMs: 500,
  /** Reloads that wait for the one before. */
  reloadsWaiting: 4,
  /** One transaction; what is more follows in another. */
  commitBytes: 4_194_304,
  /** A disk that does not answer, or takes nothing, is tried again after so long. */
  diskAgainMs: 2_000,
  /** How often the journal looks whether its file is still where it was. */
  journalLookMs: 30_000,
  /** Largest segment that is written as one row. */
  segmentBytes: 1_048_576,
  /** Gap records that are written again when room is made; beyond it one a stream and epoch. */
  carriedGaps: 256,
  /** Unacknowledged stretches of a sink; beyond it the two nearest are merged (some is sent again). */
  cursorHoles: 64,
  /** Live entries waiting for a sink that is connected but slow; beyond it they go to the history lane. */
  liveEntries: 2_000,
  /** Publishes without an acknowledgement, besides those of the history, at most; less if the broker says so. */
  mqttWindow: 100,
  /** The same for the history: at first, and at most where live data do not get slower by it. */
  historyFirstWindow: 2,
  historyMaxWindow: 256,
  /** Messages of the history a second, unless the configuration says otherwise. */
  historyPerSecond: 4_000,
  /** An acknowledgement that takes so much longer than the quickest ones: the history takes up too much. */
  historyDelayMs: 250,
  /** No acknowledgement for so long: the connection is given up and made anew. */
  mqttAckMs: 30_000,
  /** The same where a message is on its way that broke connections before. */
  mqttAckSuspectMs: 5_000,
  /** A packet of the broker, or what comes before one is whole; beyond it the connection is given up. */
  mqttInboundBytes: 262_144,
  /** Packets of the broker within a second, besides one for each of ours; beyond it the connection is given up. */
  mqttInboundPackets: 1_000,
  /** A message that breaks the connection is not too large where it is smaller than this. */
  breakBytes: 1_024,
  /** What size breaks the connection is a guess, and forgotten after so long. */
  breakForgetMs: 3_600_000,
  /** All that stands on retained topics is sent again within so long; each topic after so long at least. */
  repeatMs: 600_000,
  repeatPauseMs: 1_000,
  /** What others write on the status topic is answered every so often; from so many in ten minutes on, health says so. */
  statusAnswerMs: 10_000,
  statusAnswers: 3,
  /** The connection broke when the status topic was to be watched: not again for so long. */
  watchAgainMs: 3_600_000,
  /** One MQTT message. */
  messageBytes: 65_536,
  /** What a broker refuses for a time is tried again after so long first, then doubling up to so long. */
  notNowFirstMs: 2_000,
  notNowMaxMs: 600_000,
  /** A message that is refused so often, while others of its topic pass, is given up. */
  notNowTimes: 5,
  /** Another topic of the class has passed within this time: then it is the topic that is refused, not the class. */
  notNowNeighbourMs: 60_000,
  /** For so long health tells of messages that were given up. */
  givenUpToldMs: 3_600_000,
  /** Refused messages that are counted one by one. */
  struckMessages: 1_000,
  /** Stretches that a sink has not acknowledged, in memory; beyond it the nearest are merged (some is sent again). */
  pendingStretches: 8_192,
  /** Log lines a minute, of each level; beyond it they are counted and the count is logged. */
  logLinesPerMinute: 600,
  /** The same for errors, which have a bound of their own: nothing pushes them out. */
  logErrorsPerMinute: 300,
  /** What a reader of the log has not read; beyond it lines are lost and counted. */
  logWaitingBytes: 262_144,
  /** A file of the configuration, and the depth of its nesting; a secret; a record that rules are proved on. */
  configBytes: 4_194_304,
  secretBytes: 65_536,
  recordBytes: 268_435_456,
  configDepth: 32,
  /** A control socket that cannot be made, for the disk takes none, is tried again after so long. */
  controlAgainMs: 5_000,
  /** A request on the control socket, and clients at the same time. */
  controlBytes: 262_144,
  controlClients: 16,
  /** A client of the control socket that asks nothing, or does not read its answer, is let go after so long. */
  controlIdleMs: 60_000,
  controlReadMs: 10_000,
  /** After each request the thread is its own for so many times as long as the request took. */
  controlRest: 3,
  controlRestMs: 1_000,
  /** Who has come so lately need not make room. */
  controlGraceMs: 1_000,
  /** Characters of a name, a reason or a pattern in a request: they are recorded and compared. */
  controlText: 1_000,
  /** Wall clock against monotonic clock: a larger difference is a step and opens a clock epoch. */
  clockStepMs: 500,
} as const;

function holds(condition: boolean, relation: string): void {
  if (!condition) throw new GatewayError('internal', `limits: ${relation}`);
}
const l: Readonly<Record<keyof typeof limits, number>> = limits;
holds(l.tickGapMs < l.scanPeriodMs, 'a tick fits into the shortest scan period');
holds(l.tickSettleMs < l.tickGapMs, 'settling does not add to the gap');
holds(l.tickIdleMs >= l.tickGapMs, 'the idle tick is not faster than the busy one');
holds(
  l.endingLayers * l.tickGapMs < l.backoffFirstMs * (1 - l.backoffJitter),
  'what was told before a link went down is handed over before it is up again',
);
holds(l.backoffFirstMs < l.backoffMaxMs && l.probeFirstMs < l.probeMaxMs, 'waits grow');
holds(l.backoffFirstMs < l.sinkBackoffMaxMs, 'waits of a sink grow');
holds(l.commitFullBytes < l.tailBytes, 'a full commit fits into the tail');
holds(l.checkMs < l.wallReloadMs, 'who waits for a reload hears that its check took too long');
holds(
  l.wallBeatMs <= l.wallSilentMs && l.wallSilentMs < l.wallHungMs,
  'silence is told before it counts as death',
);
holds(l.historyFirstWindow < l.historyMaxWindow, 'the window of the history grows');
holds(l.repeatPauseMs < l.repeatMs, 'what stands is repeated in turn');
holds(l.blockSamples * 24 < l.messageBytes, 'a block of plain numbers fits into one message');
