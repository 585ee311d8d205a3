import type { GapRecord } from '../../journal/entry.js';
import type { Block } from '../../tags/block.js';
import type { AuditEvent } from '../../write/audit.js';
import type { GatewayEvent } from '../reports.js';

/** What the journal is to keep, as plain data; wall times in ms. */
export type WallEntry =
  | { readonly type: 'block'; readonly block: Block; readonly time: number }
  | { readonly type: 'event'; readonly event: GatewayEvent; readonly time: number }
  | { readonly type: 'audit'; readonly event: AuditEvent; readonly time: number }
  /** Blocks that were let go of before the journal had them. */
  | { readonly type: 'lost'; readonly gap: GapRecord };

/** An entry with its number, counted from 1 in each boot. */
export interface Numbered {
  readonly n: number;
  readonly entry: WallEntry;
}
