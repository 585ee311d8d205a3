import { backfillClass } from '../../contract/index.js';
import { type Entry, isBlock } from '../../journal/entry.js';
import { sliceBlock } from '../../tags/block.js';
import { type FrameContext, type PayloadForm, frameOf } from '../frame.js';
import { type Outgoing, packetBytes } from './port.js';
import { eventType } from './subjects.js';
import type { Topics } from './topics.js';

export interface MessageContext {
  readonly topics: Topics;
  readonly form: PayloadForm;
  readonly frames: FrameContext;
  /** Largest packet, bytes. */
  readonly maxBytes: number;
}

/**
 * An entry of the journal as messages: one, unless its samples do not fit; then several, each with the
 * sequence of its own first sample.
 * @param late it waited, and goes out in the history lane
 */
export function messagesOf(
  entry: Entry,
  late: boolean,
  context: MessageContext,
): readonly Outgoing[] {
  const { body } = entry;
  if (!isBlock(body)) return [recordMessage(entry, body, late, context.topics)];
  // What a device told afterwards is history, even if it is sent at once.
  const history = late || body.group === backfillClass;
  const payload = frameOf(entry, body, context.form, history, context.frames);
  const topic = context.topics.data(body.device, body.group, history);
  if (packetBytes(topic, payload) <= context.maxBytes || body.count < 2) {
    return [{ topic, payload, qos: 1, retain: false }];
  }
  const middle = body.count >> 1;
  return [
    [0, middle],
    [middle, body.count],
  ].flatMap(([from = 0, to = 0]) => {
    const part = { ...entry, seq: entry.seq + from, count: to - from };
    return messagesOf({ ...part, body: sliceBlock(body, from, to) }, history, context);
  });
}

/** A record: its JSON with epoch, sequence and lane put in front. */
function recordMessage(entry: Entry, json: string, history: boolean, topics: Topics): Outgoing {
  const mark = `{"ep":${String(entry.epoch)},"sq":${String(entry.seq)}${history ? ',"h":1' : ''},`;
  return {
    topic: recordTopic(entry, json, topics),
    payload: mark + json.slice(1),
    qos: 1,
    retain: false,
  };
}

function recordTopic(entry: Entry, json: string, topics: Topics): string {
  if (entry.class === 'gap') return topics.gap;
  if (entry.stream === 'audit') return topics.audit;
  return topics.event(eventType(json));
}
