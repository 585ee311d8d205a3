import type { FunctionSpec, Operand, Setting } from '../../check/function-spec.js';
import type { Slots, Step } from '../blocks/slots.js';
import type { Wiring } from '../blocks/wiring.js';

/** The value that most functions look at, and the time over which they do. */
export const aNumber: Operand & { readonly kind: 'number' } = {
  name: 'x',
  kind: 'number',
  unit: 'any',
};
export const aWindow: Setting = { name: 'w', kind: 'duration' };

/** A function with what it computes. */
export interface BuiltIn extends FunctionSpec {
  readonly step: (s: Slots, w: Wiring) => Step;
}
