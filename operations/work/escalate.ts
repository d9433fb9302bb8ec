import { and, eq, isNotNull, sql } from 'drizzle-orm';
import { CommitUnclearError, isLockFailure, type Tx } from '../../db/client.ts';
import { riskStandings, tasks } from '../../db/schema/index.ts';
import type { Deps } from '../deps.ts';
import { createWork, type MadeWork } from './create-work.ts';

const mostAttempts = 5;

/**
 * Hand a subject over to a manager, because a person or a program asks for it. Within 24 hours of the last escalation about the same subject nothing is handed
 * over, and that is on record.
 * @returns null where the tenant has no such subject
 */
export async function escalateToManager(
  deps: Pick<Deps, 'db' | 'clock' | 'log'>,
  { tenantId, subjectId, note, actor }: { tenantId: string; subjectId: string; note: string | null; actor: string },
): Promise<MadeWork | null> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await deps.db.withTenant(tenantId, (tx) =>
        createWork(tx, deps, { tenantId, subjectId, kind: 'escalation', note, skill: null, sendKey: null, enrollmentId: null, actor }),
      );
    } catch (error) {
      // Where it is not known whether COMMIT took effect, the next attempt is suppressed by it at worst.
      if (!(error instanceof CommitUnclearError || isLockFailure(error)) || attempt >= mostAttempts) throw error;
    }
  }
}

/** How many accounts were escalated, of those that are assessed. */
export interface EscalationShare {
  days: number;
  escalated: number;
  suppressed: number;
  accounts: number;
  /** null: no account is assessed. */
  share: number | null;
  /** More than a twentieth: the bands, or what is done before, need a look. */
  alarm: boolean;
}

const days = 30;
export const mostShare = 0.05;

export function readEscalationShare(deps: Pick<Deps, 'db'>, tenantId: string): Promise<EscalationShare> {
  return deps.db.withTenant(tenantId, escalationShareIn);
}

export async function escalationShareIn(tx: Tx): Promise<EscalationShare> {
  const since = sql`${tasks.createdAt} > clock_timestamp() - make_interval(days => ${days})`;
  // A lead or a cart can be escalated, too, and is none of those that are assessed.
  const assessed = sql`exists (select 1 from ${riskStandings} where ${riskStandings.subjectId} = ${tasks.subjectId} and ${riskStandings.assessmentId} is not null)`;
  const [made] = await tx
    .select({
      escalated: sql<number>`(count(distinct ${tasks.subjectId}) filter (where not ${tasks.suppressed} and ${assessed}))::int`,
      suppressed: sql<number>`(count(*) filter (where ${tasks.suppressed}))::int`,
    })
    .from(tasks)
    .where(and(eq(tasks.kind, 'escalation'), since));
  const [known] = await tx.select({ count: sql<number>`count(*)::int` }).from(riskStandings).where(isNotNull(riskStandings.assessmentId));
  const { escalated = 0, suppressed = 0 } = made ?? {};
  const accounts = known?.count ?? 0;
  const share = accounts === 0 ? null : escalated / accounts;
  return { days, escalated, suppressed, accounts, share, alarm: share !== null && share > mostShare };
}
