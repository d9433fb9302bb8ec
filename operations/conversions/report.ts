import { and, asc, eq, inArray, isNull, sql } from 'drizzle-orm';
import { connections, leadConversions } from '../../db/schema/index.ts';
import type { ConversionOutcome } from '../../domain/conversions/outcome.ts';
import type { DomainEvent } from '../../domain/events.ts';
import { asDedupeKey } from '../../integrations/untrusted-text.ts';
import { waitForCalls } from '../accept-delivery.ts';
import { startAnswerBudget } from '../answer-budget.ts';
import { tryApply } from '../apply-delivery.ts';
import type { Deps } from '../deps.ts';
import type { StoredDelivery } from '../intake/delivery.ts';
import { readTenant } from '../intake/tenant.ts';

/** A conversion that a person or a program states. */
export interface StatedConversion {
  /** What it is about: the id of an attempt or of a lead, or what its source or its tracker calls it. */
  subId: string;
  clickId: string | null;
  tid: string;
  outcome: ConversionOutcome;
  currency: string | null;
  payoutMinor: number | null;
}

export type ConversionReported =
  /** `repeated`: this status of this transaction is known already, and counts once. */
  | { kind: 'reported'; id: string; repeated: boolean }
  /** The store has no connection that it could have come by. */
  | { kind: 'no_connection' }
  | { kind: 'busy' };

/**
 * Take in a conversion by hand, as if its tracker had reported it: by the store's tracker, or else as an event of its own system. Answered when no call
 * that it covers is open any more.
 */
export async function reportConversion(deps: Deps, tenantId: string, stated: StatedConversion): Promise<ConversionReported> {
  const budget = startAnswerBudget(deps.clock);
  const found = await deps.db.withTenant(tenantId, async (tx) => {
    const [connection] = await tx
      .select({ id: connections.id })
      .from(connections)
      .where(and(inArray(connections.integration, ['keitaro', 'generic']), eq(connections.state, 'connected'), isNull(connections.removedAt)))
      .orderBy(sql`${connections.integration} = 'keitaro' desc`, asc(connections.id))
      .limit(1);
    return connection === undefined ? null : { connectionId: connection.id, tenant: await readTenant(tx, tenantId) };
  });
  if (found === null) return { kind: 'no_connection' };
  const { subId, clickId, tid, outcome, currency, payoutMinor } = stated;
  const conversion = {
    ...{ click: subId, subId, clickId, tid, status: outcome, outcome, currency, payoutMinor },
    ids: [...new Set([subId, clickId])].filter((id) => id !== null),
  };
  const event: DomainEvent = { type: 'conversion.reported', occurredAtMs: deps.clock.nowMs(), conversion };
  const row: StoredDelivery = { tenantId, ...found, dedupeKey: asDedupeKey(`${subId} ${outcome} ${tid}`), topic: 'postback' };
  let attempt = await tryApply(deps, row, [event], budget);
  while (attempt.kind === 'locked' && budget.leftMs() > 0) attempt = await tryApply(deps, row, [event], budget, true);
  if (attempt.kind === 'locked' || !(await waitForCalls(deps, row, attempt, budget))) return { kind: 'busy' };
  const [stored] = await deps.db.withTenant(tenantId, (tx) =>
    tx
      .select({ id: leadConversions.id })
      .from(leadConversions)
      .where(
        and(
          eq(leadConversions.connectionId, found.connectionId),
          eq(leadConversions.click, subId),
          eq(leadConversions.status, outcome),
          eq(leadConversions.tid, tid),
        ),
      ),
  );
  // A person who was erased since has taken the ids of their clicks with them.
  return stored === undefined ? { kind: 'busy' } : { kind: 'reported', id: stored.id, repeated: attempt.kind === 'repeated' };
}
