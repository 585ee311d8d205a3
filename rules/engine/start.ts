import { invariant, type RuleLanguage } from '../../gateway/contract/index.js';
import { isCompiled } from '../program/program.js';
import { createEngine } from './engine.js';

/** Starts a program for the gateway, which knows no more of programs and engines than the contract says. */
export const startEngine: RuleLanguage['start'] = (program, options) => {
  invariant(isCompiled(program), 'a program that was compiled here');
  return createEngine(program, options);
};
