import { backfillClass } from '../../contract/index.js';
import { type Entry, isBlock } from '../../journal/entry.js';
import type { Subject } from './refusals.js';

/** Which topic an entry goes to, as far as a broker may refuse it; see {@link messagesOf}. */
export function subjectOf(entry: Entry, late: boolean): Subject {
  const { body, pos, stream } = entry;
  if (isBlock(body)) {
    const topicClass = late || body.group === backfillClass ? 'history' : 'data';
    return { topicClass, key: `${topicClass} ${stream}`, stream, pos };
  }
  if (entry.stream === 'gap' || entry.stream === 'audit')
    return { topicClass: entry.stream, key: entry.stream, stream, pos };
  const key = `event ${eventType(body)}`;
  return { topicClass: 'event', key, stream: key, pos };
}

/** Events are serialised with their type first: see GatewayEvent. */
export function eventType(json: string): string {
  return /^\{"type":"([a-z-]+)"/.exec(json)?.[1] ?? 'other';
}
