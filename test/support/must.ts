import { GatewayError } from '../../gateway/contract/index.js';

/** In tests: stops at a premise that does not hold. */
export function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new GatewayError('internal', `test premise: ${what}`);
}
