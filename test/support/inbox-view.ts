import type { Value } from '../../gateway/contract/index.js';
import { Inbox, type InboxItem } from '../../gateway/scan/inbox.js';

/** What was said of a tag last; `at` when it was read, ms. */
export interface Seen {
  readonly quality: number;
  readonly value: number;
  /** A text, or an integer of 64 bits. */
  readonly wide: Value | undefined;
  readonly at: number;
}

/** An inbox that is emptied into the last quality and value of each tag. */
export class InboxView {
  readonly inbox: Inbox = new Inbox(() => undefined);
  readonly seen: Map<string, Seen> = new Map();
  readonly items: InboxItem[] = [];

  /** @param names of the tags by their position */
  take(names: readonly string[]): void {
    for (const item of this.inbox.take()) {
      this.items.push(item);
      item.indices.forEach((index, i) => {
        const name = names[index] ?? '';
        const before = this.seen.get(name);
        this.seen.set(name, readingOf(item, i, before));
      });
      item.group?.taken();
    }
  }
}

function readingOf({ group, quality, at }: InboxItem, i: number, before: Seen | undefined): Seen {
  if (!group) return { quality, value: NaN, wide: undefined, at };
  const { batch } = group;
  if (batch.isUnchanged && before) return { ...before, at };
  return {
    quality: batch.qualities[i] ?? 0xff,
    value: batch.numbers[i] ?? NaN,
    wide: batch.wide[i],
    at: batch.times?.[i] ?? at,
  };
}
