import { invariant, type RuleLanguage } from '../../gateway/contract/index.js';
import { isCompiled } from '../program/program.js';
import { createEngine, prepareEngine } from './engine.js';

/** Runs programs for the gateway, which knows no more of programs and engines than the contract says. */
export const engines: Pick<RuleLanguage, 'start' | 'prepare'> = {
  start: (program, options) => {
    invariant(isCompiled(program), 'a program that was compiled here');
    return createEngine(program, options);
  },
  prepare: (program, options) => {
    invariant(isCompiled(program), 'a program that was compiled here');
    return prepareEngine(program, options);
  },
};
