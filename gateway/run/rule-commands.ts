import {
  GatewayError,
  type CommandResult,
  type Person,
  type RuleCommand,
} from '../contract/index.js';
import type { Asker } from './asker.js';
import { optionalText, requiredDuration, requiredText, type Args } from './arguments.js';

/** Operations on the control socket that tell a rule or an alarm something. */
const kinds: readonly RuleCommand['kind'][] = [
  'ack',
  'reset',
  'bypass',
  'unbypass',
  'shelve',
  'unshelve',
  'out-of-service',
  'in-service',
];
type Kind = RuleCommand['kind'];

export function isRuleCommand(op: string): op is Kind {
  return (kinds as readonly string[]).includes(op);
}

/** Reads a command from the arguments of a request; refuses what is incomplete. */
export function ruleCommandOf(kind: Kind, args: Args): RuleCommand {
  switch (kind) {
    case 'bypass': {
      const reason = requiredText(args, 'reason');
      return {
        kind,
        input: optionalText(args, 'input'),
        duration: requiredDuration(args, 'for'),
        reason,
      };
    }
    case 'unbypass':
      return { kind, input: optionalText(args, 'input') };
    case 'shelve': {
      const reason = requiredText(args, 'reason');
      return {
        kind,
        duration: requiredDuration(args, 'for'),
        reason,
        oneShot: args['once'] === true,
      };
    }
    case 'out-of-service':
      return { kind, reason: requiredText(args, 'reason') };
    default:
      return { kind };
  }
}

/** Which rule or alarm is meant. */
export function subjectOf(args: Args): string {
  return optionalText(args, 'rule') ?? optionalText(args, 'alarm') ?? requiredText(args, 'id');
}

/** Users by role. */
export type Roles = ReadonlyMap<string, readonly string[]>;

/** A person with the roles that the socket gives, or else the configuration. */
export function personOf(known: Roles, { who: name, roles }: Asker): Person {
  const own = [...known].filter(([, names]) => names.includes(name)).map(([role]) => role);
  return { name, roles: roles ?? own };
}

/** Who is told what, for the audit: the reason and the length belong to it. */
export function auditText(command: RuleCommand): string {
  const parts = Object.entries(command).filter(
    ([key, value]) => key !== 'kind' && value !== undefined,
  );
  return parts.map(([key, value]) => `${key} ${String(value)}`).join(', ');
}

/** Refused commands reject with the reason. */
export function settle(command: RuleCommand, result: CommandResult): void {
  if (result.ok) return;
  const code = command.kind === 'reset' ? 'reset-refused' : 'bad-request';
  throw new GatewayError(code, result.reason);
}
