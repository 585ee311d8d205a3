import {
  GatewayError,
  parseDuration,
  type CommandResult,
  type Person,
  type RuleCommand,
} from '../contract/index.js';
import type { Runtime } from './runtime.js';

type Args = Readonly<Record<string, unknown>>;

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

function optional(args: Args, key: string): string | undefined {
  const value = args[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
function required(args: Args, key: string): string {
  const value = optional(args, key);
  if (value === undefined) throw new GatewayError('bad-request', `${key} is missing`);
  return value;
}
function duration(args: Args): number {
  const typed = required(args, 'for');
  const found = parseDuration(typed);
  if (found === undefined) throw new GatewayError('bad-request', `for: ${typed} is no time`);
  return found;
}

/** Reads a command from the arguments of a request; refuses what is incomplete. */
export function ruleCommandOf(kind: Kind, args: Args): RuleCommand {
  switch (kind) {
    case 'bypass': {
      const reason = required(args, 'reason');
      return { kind, input: optional(args, 'input'), duration: duration(args), reason };
    }
    case 'unbypass':
      return { kind, input: optional(args, 'input') };
    case 'shelve': {
      const reason = required(args, 'reason');
      return { kind, duration: duration(args), reason, oneShot: args['once'] === true };
    }
    case 'out-of-service':
      return { kind, reason: required(args, 'reason') };
    default:
      return { kind };
  }
}

/** Which rule or alarm is meant. */
export function subjectOf(args: Args): string {
  return optional(args, 'rule') ?? optional(args, 'alarm') ?? required(args, 'id');
}

/** A person with the roles that the configuration gives him. */
export function personOf(runtime: Runtime, name: string): Person {
  const roles = [...runtime.config.roles].filter(([, names]) => names.includes(name));
  return { name, roles: roles.map(([role]) => role) };
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
