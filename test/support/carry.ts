import { GatewayError } from '../../gateway/contract/index.js';
import type { Plan } from '../../gateway/run/plan.js';
import { partsOf, PlanReader } from '../../gateway/run/plan-parts.js';
import type { Carry } from '../../gateway/run/wall/joined.js';
import { programParts, programReader } from '../../rules/index.js';

/** As a pipe between two processes: nothing is shared, and what cannot be copied is an error here, too. */
export const copied: Carry = (message, deliver) => deliver(structuredClone(message));

/** A plan as the process that checks hands it over: in pieces of plain data, with the drivers found by name. */
export async function handedOver(plan: Plan): Promise<Plan> {
  const reader = new PlanReader({ reader: programReader });
  for (const part of partsOf(plan, { parts: programParts })) reader.take(structuredClone(part));
  const whole = await reader.plan((_ref, name) =>
    Promise.resolve(plan.config.links.find((link) => link.name === name)?.driver),
  );
  if (!whole) throw new GatewayError('internal', 'a plan has parts');
  return whole;
}
