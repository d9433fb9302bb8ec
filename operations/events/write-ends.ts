import { v7 as uuidv7 } from 'uuid';
import { statusOf } from '../../domain/sequence/ending.ts';
import type { StopReason } from '../../domain/sequence/plan.ts';

/** An enrollment that ends, and why. */
export interface End {
  id: string;
  reason: StopReason;
  /** The evidence, for the story: ids only. */
  data?: Record<string, unknown>;
}

/** The same as the database's `write_ends` takes it. */
export function endRows(ends: readonly End[]): Record<string, unknown>[] {
  return ends.map(({ id, reason, data = {} }) => ({ id, event_id: uuidv7(), status: statusOf(reason), reason, data }));
}
