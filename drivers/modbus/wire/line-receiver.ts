import { Fn } from '../frames/frame.js';
import type { Asked, Question } from '../frames/question.js';
import type { FrameSink, Receiver } from './framing.js';
import type { LineMemory } from '../line/memory.js';

/** What receivers of frames without transaction ids have in common: they judge what comes by what is known of the line. */
export abstract class LineReceiver implements Receiver {
  protected readonly sink: FrameSink;
  readonly #line: LineMemory;
  #isStopped = false;

  constructor(sink: FrameSink, line: LineMemory) {
    this.sink = sink;
    this.#line = line;
  }

  abstract push(bytes: Uint8Array): void;
  /** A request goes out: what was begun before cannot be its answer. */
  protected abstract restart(frame: Uint8Array): void;

  extra(question: Question): number {
    return this.#line.extra(question);
  }

  sent(id: number, question: Question, extra: number, frame: Uint8Array): void {
    this.#line.sent(id, question, extra);
    this.restart(frame);
  }

  gaveUp(id: number): void {
    this.#line.gaveUp(id);
  }

  notOurs(frame: Uint8Array, length: number): void {
    this.#line.stillWaits();
    this.unasked(frame, length);
  }

  stop(): void {
    this.#isStopped = true;
  }

  protected get stopped(): boolean {
    return this.#isStopped;
  }
  protected get asked(): Asked | undefined {
    return this.#line.asked;
  }
  /** Is a read of registers asked? Its answer never looks like its request: what does is an echo. */
  protected get asksRegisters(): boolean {
    const fn = this.asked?.fn;
    return fn === Fn.readHoldingRegisters || fn === Fn.readInputRegisters;
  }
  /** Does this unit owe an answer, or is it asked now? */
  protected concerns(unit: number): boolean {
    return this.#line.concerns(unit);
  }

  /** Hands on a frame whose check is right: unit id, then `length` bytes of PDU. The frame is the sink's. */
  protected deliver(frame: Uint8Array, length: number): void {
    const unit = frame[0] as number;
    const { asked } = this;
    const { verdict, doubt } = this.#line.take(frame, length);
    if (verdict === 'foreign') this.unasked(frame, length);
    else if (verdict === 'late') this.sink.late(unit, this.#line.unsureId);
    else if (asked) this.sink.frame(asked.id, unit, frame, 1, length, doubt);
  }

  /** A whole frame, an answer or a request, that nobody here has to do with. */
  protected unasked(frame: Uint8Array, length: number): void {
    const isRepetition = this.#line.unasked(frame, length);
    this.sink.foreign(frame[0] as number, isRepetition ? 'repetition' : 'another');
  }
}
