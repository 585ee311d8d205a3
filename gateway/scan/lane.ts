import type {
  Clock,
  GatewayError,
  MonoMs,
  ReadOutcome,
  Timer,
  DeviceOutcome,
} from '../contract/index.js';
import { GatewayError as Failure, asGatewayError, mono } from '../contract/index.js';
import type { LinkGroup } from './group.js';
import type { ScanJob } from './job.js';
import type { PendingWrite } from './writes.js';

/** What a lane is doing. */
export type Errand =
  | { readonly kind: 'read'; readonly group: LinkGroup; readonly job: ScanJob | undefined }
  | { readonly kind: 'write'; readonly write: PendingWrite };

/** Called when a request of the lane has settled, in time or not. */
export interface LaneEnd {
  read: (lane: Lane, group: LinkGroup, job: ScanJob | undefined, outcome: ReadOutcome) => void;
  written: (lane: Lane, write: PendingWrite, outcome: DeviceOutcome) => void;
  failed: (lane: Lane, errand: Errand, error: unknown) => void;
}

/** A timer that is later than this, ms: the process was held up. */
const heldUp = 50;

/**
 * Carries one request at a time and watches its time-out. The AbortController and the timer are used for
 * many requests: the timer, once set, stays until it fires and then looks whether the request under way
 * is really late, because setting and clearing one a request is dearer than the request's bookkeeping.
 */
export class Lane {
  readonly #clock: Clock;
  readonly #end: LaneEnd;
  #controller = new AbortController();
  #timer: Timer | undefined;
  #timerAt: MonoMs = mono(Infinity);
  #deadline: MonoMs = mono(Infinity);
  #timeout = 0;
  #begunAt: MonoMs = mono(0);
  #errand: Errand | undefined;
  /** Its time was over while the whole process was held up. */
  #excused: Errand | undefined;
  /** Not before this time, for the gap between requests. */
  freeAt: MonoMs = mono(0);
  #closed = false;

  constructor(clock: Clock, end: LaneEnd) {
    this.#clock = clock;
    this.#end = end;
  }

  get busy(): boolean {
    return this.#errand !== undefined;
  }
  get errand(): Errand | undefined {
    return this.#errand;
  }
  /** When the request under way, or the last one, was sent. */
  get begunAt(): MonoMs {
    return this.#begunAt;
  }

  read(
    group: LinkGroup,
    job: ScanJob | undefined,
    timeout: number,
    request: (signal: AbortSignal) => Promise<ReadOutcome>,
  ): void {
    const errand: Errand = { kind: 'read', group, job };
    this.#begin(errand, timeout);
    this.#call(request).then(
      (outcome) => {
        if (this.#settle(errand)) this.#end.read(this, group, job, outcome);
      },
      (error: unknown) => {
        if (this.#settle(errand)) this.#end.failed(this, errand, error);
      },
    );
  }

  write(
    write: PendingWrite,
    timeout: number,
    request: (signal: AbortSignal) => Promise<DeviceOutcome>,
  ): void {
    const errand: Errand = { kind: 'write', write };
    this.#begin(errand, timeout);
    this.#call(request).then(
      (outcome) => {
        if (this.#settle(errand)) this.#end.written(this, write, outcome);
      },
      (error: unknown) => {
        if (this.#settle(errand)) this.#end.failed(this, errand, error);
      },
    );
  }

  /** Ends the request under way, if any; its end is not reported. @returns what it was doing */
  close(why: GatewayError): Errand | undefined {
    const errand = this.#errand;
    this.#closed = true;
    this.#errand = undefined;
    this.#timer?.cancel();
    if (errand) this.#controller.abort(why);
    return errand;
  }

  /** A driver that throws instead of rejecting is as defective, and no end of the gateway. */
  #call<T>(request: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return request(this.#controller.signal);
    } catch (thrown) {
      return Promise.reject<T>(asGatewayError(thrown));
    }
  }

  #begin(errand: Errand, timeout: number): void {
    this.#errand = errand;
    this.#timeout = timeout;
    this.#begunAt = this.#clock.mono();
    this.#deadline = mono(this.#begunAt + timeout);
    if (this.#timer && this.#timerAt <= this.#deadline) return;
    this.#timer?.cancel();
    this.#setTimer();
  }

  #setTimer(): void {
    this.#timerAt = this.#deadline;
    this.#timer = this.#clock.at(this.#deadline, this.#look);
  }

  #settle(errand: Errand): boolean {
    if (this.#errand !== errand || this.#closed) return false;
    this.#errand = undefined;
    return true;
  }

  readonly #look = (): void => {
    this.#timer = undefined;
    const errand = this.#errand;
    if (!errand || this.#closed) return;
    const now = this.#clock.mono();
    if (now < this.#deadline) {
      this.#setTimer();
      return;
    }
    if (now - this.#deadline > heldUp && this.#excused !== errand) {
      // It is not the device that is late: the answer may be here already, and is heard before this runs.
      this.#excused = errand;
      this.#timer = { cancel: () => undefined };
      this.#clock.soon(this.#look);
      return;
    }
    const waited = String(Math.round(this.#timeout));
    const error = new Failure('request-timeout', `no answer within ${waited} ms`);
    const controller = this.#controller;
    this.#controller = new AbortController();
    // Reported from here and not from the driver's rejection: a driver that ignores the abort must
    // not hold the lane.
    this.#errand = undefined;
    controller.abort(error);
    this.#end.failed(this, errand, error);
  };
}
