import { sql } from 'drizzle-orm';
import type { Tx } from '../db/client.ts';
import type { Clock } from './clock.ts';

/** How long a shop may wait for its answer, from the delivery's arrival (docs/fence.md#times-in-order: shops give up at 5 s). Milliseconds. */
const answerBudgetMs = 4_500;

/** What is left of one answer's time. */
export interface AnswerBudget {
  /** Milliseconds; zero or less: the answer is due now. */
  leftMs(): number;
}

export function startAnswerBudget(clock: Clock): AnswerBudget {
  const startedMs = clock.monotonicMs();
  return { leftMs: () => answerBudgetMs - (clock.monotonicMs() - startedMs) };
}

// A delivery takes a connection twice: to find its tenant, and to be stored. When the first in line has already waited for a third of the answer's
// time, a new delivery could hardly be answered in time: refuse it at once instead of letting it wait first.
const longestWaitMs = answerBudgetMs / 3;

/** Whether a delivery that comes now could hardly be answered in time. @param waitedMs - how long the first in line has been waiting */
export function isLineTooLong(waitedMs: number): boolean {
  return waitedMs > longestWaitMs;
}

// docs/fence.md#times-in-order. A stop may wait in three places: for the inbox row, for names, for persons.
const lockWaitMs = 800;
const lockWaits = 3;

/** Let this transaction wait for its locks no longer than what is left of the answer's time allows. */
export async function boundLockWaits(tx: Tx, leftMs: number): Promise<void> {
  // Postgres reads zero as no limit.
  const ms = Math.max(1, Math.min(lockWaitMs, Math.floor(leftMs / lockWaits)));
  await tx.execute(sql`select set_config('lock_timeout', ${String(ms)}, true)`);
}
