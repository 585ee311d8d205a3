import { mono, type TagLookup } from '../../gateway/contract/index.js';
import { nextMultiple } from '../engine/blocks/slots.js';
import type { CompiledProgram } from '../program/program.js';
import { judge, type Mismatch } from './judge.js';
import { tagsOf, TestRig } from './rig.js';
import type { Follower, Moment, Order, Scenario } from './scenario.js';
import { momentText, type Course } from './values.js';

const usualPoll = 1000;

/** A tag that moves by itself until the time-line says something else of it. */
interface Moving {
  readonly course: Exclude<Course, { kind: 'hold' }>;
  readonly since: number;
  readonly from: number;
}

/** One run of one scenario: what failed, if anything. */
export class ScenarioRun {
  readonly rig: TestRig;
  readonly #scenario: Scenario;
  readonly #moving = new Map<number, Moving>();
  readonly #polls: readonly { readonly index: number; readonly period: number }[];
  /** Feedbacks that will change, with the time of it. */
  readonly #pending = new Map<Follower, { readonly value: number; readonly at: number }>();
  readonly #failures: Mismatch[] = [];
  #seed = 12_345;

  constructor(program: CompiledProgram, lookup: TagLookup, scenario: Scenario) {
    this.rig = new TestRig(program, lookup);
    this.#scenario = scenario;
    const used = new Set(scenario.moments.flatMap((moment) => [...moment.courses.keys()]));
    this.#polls = tagsOf(lookup)
      .filter((tag) => used.has(tag.index))
      .map((tag) => ({ index: tag.index, period: scenario.poll ?? tag.period ?? usualPoll }));
  }

  run(): readonly Mismatch[] {
    const { moments, expectations } = this.#scenario;
    const end = Math.max(0, ...moments.map(({ at }) => at), ...expectations.map(({ at }) => at));
    const moment = [...moments];
    const expected = [...expectations];
    let polled = -1;
    for (;;) {
      const at = Math.min(
        moment[0]?.at ?? Infinity,
        expected[0]?.at ?? Infinity,
        this.#nextPoll(polled),
        this.#nextFeedback(),
      );
      if (at > end) break;
      this.rig.advance(at);
      if (this.#nextPoll(polled) <= at) {
        this.#poll(at);
        polled = at;
      }
      while (moment[0] && moment[0].at <= at) this.#happen(moment.shift() as Moment);
      this.#feedBack(at);
      this.rig.scan();
      this.#follow();
      while (expected[0] && expected[0].at <= at) {
        const expectation = expected.shift();
        if (expectation) this.#failures.push(...judge(this.rig, this.#scenario, expectation));
      }
    }
    return this.#failures;
  }

  #nextPoll(after: number): number {
    let next = Infinity;
    for (const { period } of this.#polls) next = Math.min(next, nextMultiple(after, period));
    return next;
  }

  /** Asks every tag whose turn it is: those that move have moved, the others are only newer. */
  #poll(now: number): void {
    for (const { index, period } of this.#polls) {
      if (now % period !== 0) continue;
      const moving = this.#moving.get(index);
      if (moving) this.rig.arrive(index, this.#valueOf(moving, now));
      else this.rig.refresh(index);
    }
  }

  #valueOf({ course, since, from }: Moving, now: number): number {
    const passed = now - since;
    switch (course.kind) {
      case 'ramp':
        return from + (course.to - from) * Math.min(1, passed / course.over);
      case 'count':
        return from + Math.floor(passed / course.every);
      case 'wave':
        return course.values[Math.floor(passed / course.every) % course.values.length] ?? from;
      case 'noise':
        return course.mean + course.sd * this.#normal();
    }
  }

  /** Near enough normal: twelve uniform numbers of a generator that gives the same in every run. */
  #normal(): number {
    let sum = -6;
    for (let i = 0; i < 12; i++) {
      this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) >>> 0;
      sum += this.#seed / 2 ** 32;
    }
    return sum;
  }

  #happen({ at, courses, orders }: Moment): void {
    for (const [index, course] of courses) {
      this.#moving.delete(index);
      if (course.kind === 'hold') this.rig.arrive(index, course.value, course.quality);
      else {
        const from = this.rig.image.numbers[index] ?? 0;
        const moving = { course, since: at, from };
        this.#moving.set(index, moving);
        this.rig.arrive(index, this.#valueOf(moving, at));
      }
    }
    for (const order of orders) this.#give(order, at);
  }

  #give({ rule, command, by, roles, refused }: Order, at: number): void {
    const answer = this.rig.engine.command(rule, command, { name: by, roles }, mono(this.rig.now));
    if (answer.ok !== refused) return;
    const { file, name: test } = this.#scenario;
    const why = answer.ok ? 'was done, it should be refused' : `was refused: ${answer.reason}`;
    const message = `at ${momentText(at)}: ${command.kind} of ${rule} ${why}`;
    this.#failures.push({ file, test, at, message });
  }

  #follow(): void {
    for (const follower of this.#scenario.followers) {
      const demanded = this.rig.demanded(follower.output);
      if (demanded === undefined) continue;
      const value = (Number(demanded) === 1) !== follower.inverted ? 1 : 0;
      const isSame = this.rig.image.numbers[follower.feedback] === value;
      if (isSame || this.#pending.has(follower)) continue;
      this.#pending.set(follower, { value, at: this.rig.now + Math.max(1, follower.after) });
    }
  }
  #nextFeedback(): number {
    let next = Infinity;
    for (const { at } of this.#pending.values()) next = Math.min(next, at);
    return next;
  }
  #feedBack(now: number): void {
    for (const [follower, { value, at }] of this.#pending)
      if (at <= now) {
        this.#pending.delete(follower);
        this.rig.arrive(follower.feedback, value);
      }
  }
}
