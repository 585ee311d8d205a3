import { limits } from '../../limits.js';
import type { BrokerLimits } from './port.js';

/** Messages that the broker did not take, and will not be asked again. */
export interface GivenUp {
  readonly count: number;
  readonly topic: string;
  readonly why: string;
  /** When the last one was, on the monotonic clock. */
  readonly at: number;
}

export interface SinkFacts {
  readonly clientId: string;
  /** Lost connections in the last minute. */
  readonly losses: number;
  /** Undefined while not connected. */
  readonly said: BrokerLimits | undefined;
  readonly givenUp: GivenUp | undefined;
  /** Larger messages seem to break the connection. */
  readonly maxBytes: number;
  /** How often somebody else wrote our status lately. */
  readonly status: { readonly topic: string; readonly foreign: number };
}

/** What is wrong with a sink although it is connected, for people; see docs/operations.md. */
export function weaknessesOf(facts: SinkFacts): readonly string[] {
  const { losses, said, givenUp, maxBytes, status } = facts;
  const clientId = said?.assignedId ?? facts.clientId;
  return [
    losses >= limits.sinkLossesPerMinute &&
      `lost ${String(losses)} times in the last minute: is there another client with the id ${clientId}?`,
    status.foreign >= limits.statusAnswers &&
      `somebody else writes ${status.topic}: is there another gateway with this root?`,
    maxBytes < Infinity &&
      `messages of more than ${String(maxBytes)} bytes break the connection; raise the packet size of the broker`,
    givenUp &&
      `${String(givenUp.count)} messages were given up, last on ${givenUp.topic}: ${givenUp.why}`,
    said?.retainAvailable === false &&
      'it keeps no retained messages: who joins late sees nothing until it changes',
    said?.maximumQos === 0 &&
      'it takes QoS 0 only: what is on its way when the connection breaks is lost',
  ].filter((text) => typeof text === 'string');
}
