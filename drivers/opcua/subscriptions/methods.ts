import { type DeviceOutcome, type Value } from '../../../gateway/contract/index.js';
import type { MethodAddress, OpcuaAddress } from '../plan/address.js';
import type { ArgumentType, UaSession, UaVariant } from '../service/client.js';
import type { Outgoing } from './items.js';
import type { Nodes } from '../nodes/nodes.js';
import { isBad } from '../service/status.js';
import { blankReading, readingOf, variantOf, type Reading } from '../values/values.js';

const nothingYet = blankReading();

/** Methods of a server, called by writing to a tag. */
export class Methods {
  readonly #session: UaSession;
  readonly #nodes: Nodes;
  /** What each method wants, by its node id. */
  readonly #wanted = new Map<string, readonly ArgumentType[]>();
  /** What was given to each tag last, on this connection. */
  readonly #given = new Map<string, Reading>();
  readonly #told = new Map<string, { readonly out: Outgoing; readonly position: number }>();

  constructor(session: UaSession, nodes: Nodes) {
    this.#session = session;
    this.#nodes = nodes;
  }

  /** What the method of this tag was called with last, since the connection was made. */
  given(tag: string): Reading {
    return this.#given.get(tag) ?? nothingYet;
  }

  /** Tells of it, now and with each call. */
  listen(tag: string, out: Outgoing, position: number): void {
    this.#told.set(tag, { out, position });
    this.#tell(tag);
  }

  /** One call; never a second one. */
  async call(
    tag: string,
    { node: of, type, method }: OpcuaAddress & { readonly method: MethodAddress },
    value: Value,
  ): Promise<DeviceOutcome> {
    const [object, node] = await this.#nodes.find([of, method.node]);
    if (object === undefined) return refused('the server has no such object');
    if (node === undefined) return refused('the server has no such method');
    const wanted = this.#wanted.get(node) ?? (await this.#session.argumentsOf(node));
    this.#wanted.set(node, wanted);
    const list = argumentsOf(method, wanted, value);
    if (typeof list === 'string') return refused(list);
    const { status, inputs } = await this.#session.call(object, node, list);
    const wrong = inputs.findIndex((input) => isBad(input.value));
    if (wrong >= 0)
      return refused(`${wanted[wrong]?.name ?? 'an argument'}: ${inputs[wrong]?.name ?? ''}`);
    if (isBad(status.value)) return refused(status.name);
    this.#given.set(tag, readingOf(value, type));
    this.#tell(tag);
    return { ok: true };
  }

  #tell(tag: string): void {
    const told = this.#told.get(tag);
    told?.out.tell(told.position, this.given(tag), NaN);
    told?.out.send();
  }
}

function refused(code: string): DeviceOutcome {
  return { ok: false, code };
}

/** The arguments as the method wants them, or what is wrong. */
function argumentsOf(
  { arguments: given }: MethodAddress,
  wanted: readonly ArgumentType[],
  value: Value,
): readonly UaVariant[] | string {
  // A method without arguments is called by writing true; false calls nothing.
  if (wanted.length === 0 && given === undefined)
    return value === true ? [] : 'the method takes nothing: write true to call it';
  const list = given ?? [{ kind: 'value' }];
  if (list.length !== wanted.length)
    return `the method takes ${String(wanted.length)} arguments, and is given ${String(list.length)}`;
  const made: UaVariant[] = [];
  for (const [at, argument] of list.entries()) {
    const { name, dataType, isArray } = wanted[at] as ArgumentType;
    const variant = variantOf(argument.kind === 'value' ? value : argument.constant, dataType);
    if (!variant) return `${name} does not fit the type of the argument`;
    made.push(isArray ? { ...variant, value: [variant.value], isArray } : variant);
  }
  return made;
}
