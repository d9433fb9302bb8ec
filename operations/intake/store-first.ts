import { sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { isLockFailure } from '../../db/client.ts';
import { inbox } from '../../db/schema/index.ts';
import type { DomainEvent } from '../../domain/events.ts';
import { settingsOf } from '../../domain/tenant-settings.ts';
import type { AnswerBudget } from '../answer-budget.ts';
import { namesIn } from '../apply-delivery.ts';
import type { Deps } from '../deps.ts';
import { isStop } from '../effects/index.ts';
import type { GatheredDelivery, StoredDelivery, Storing } from './delivery.ts';
import type { SetSteps } from './delivery-sets.ts';
import { sourceOf } from './source.ts';
import { mayCarryStops } from './stops.ts';
import { readTenant } from './tenant.ts';

/**
 * Store a delivery of a tenant whose deliveries come faster than they can be applied.
 * @returns false: it is to be applied before it is answered, because the tenant is not flooded, or it may be a stop or a repeat
 * Source: docs/adr/0023-a-flood-is-stored-first.md
 */
export async function storeFirst(deps: Deps, row: StoredDelivery, events: readonly DomainEvent[], budget: AnswerBudget): Promise<boolean> {
  const { tenantId } = row;
  if (!deps.floods.isFlooded(tenantId, deps.deliverySets.waitMs(tenantId))) return false;
  void deps.floods
    .check(tenantId, () => oldestWaiting(deps, tenantId))
    .catch((error: unknown) => deps.log.warn({ tenantId, err: error }, 'it is not known what still waits to be applied'));
  if (events.some(isStop)) return false;
  const delivery: GatheredDelivery = { row, events, names: namesIn(row, events), budget };
  return deps.floods.store(tenantId, async () => {
    const storing = await deps.storingSets.apply(tenantId, delivery, stepsOf(deps));
    return storing.kind === 'stored' ? { ...delivery, budget: null, waitingId: storing.id, storedAtMs: storing.storedAtMs } : null;
  });
}

/** Two of them never go together that are the same delivery. */
const stepsOf = (deps: Deps): SetSteps<GatheredDelivery, Storing> => ({
  applyOne: async (delivery) => (await storeSet(deps, delivery.row.tenantId, [delivery]))[0] ?? { kind: 'must_apply' },
  applySet: (tenantId, set) => storeSet(deps, tenantId, set),
  overlap: (a, b) => a.row.connectionId === b.row.connectionId && a.row.dedupeKey === b.row.dedupeKey,
  wanted: ({ budget }) => budget === null || budget.leftMs() > 0,
});

/** One transaction for many deliveries: those that cannot be a stop and are new are written as `pending`. */
async function storeSet(deps: Deps, tenantId: string, set: readonly GatheredDelivery[]): Promise<Storing[]> {
  try {
    return await deps.db.withTenant(tenantId, async (tx) => {
      const settings = settingsOf(set[0]?.row.tenant ?? (await readTenant(tx, tenantId)));
      const asked = set.flatMap((delivery) => delivery.events.map((event) => ({ delivery, source: sourceOf(delivery.row, settings), event })));
      const answers = await mayCarryStops(tx, asked);
      const mayStop = new Set(asked.filter((_, index) => answers[index] === true).map(({ delivery }) => delivery));
      const rows = set.map((delivery) => {
        const { connectionId, dedupeKey, topic, notes = [] } = delivery.row;
        const row = { id: uuidv7(), connection: connectionId, dedupe_key: dedupeKey, topic, events: delivery.events, notes };
        return mayStop.has(delivery) ? null : row;
      });
      const values = rows.filter((row) => row !== null);
      if (values.length === 0) return set.map(() => ({ kind: 'must_apply' }));
      // One statement whatever the number.
      const { rows: stored } = await tx.$client.query<{ id: string; ms: number }>({
        text: `insert into inbox (tenant_id, id, connection_id, dedupe_key, topic, state, events, notes)
          select $1, r.id, r.connection, r.dedupe_key, r.topic, 'pending', r.events, r.notes
          from jsonb_to_recordset($2) as r(id uuid, connection uuid, dedupe_key text, topic text, events jsonb, notes jsonb)
          on conflict do nothing returning id, (extract(epoch from received_at) * 1000)::double precision as ms`,
        values: [tenantId, JSON.stringify(values)],
      });
      const storedAt = new Map(stored.map(({ id, ms }) => [id, ms]));
      return rows.map((row): Storing => {
        const storedAtMs = row === null ? undefined : storedAt.get(row.id);
        return row === null || storedAtMs === undefined ? { kind: 'must_apply' } : { kind: 'stored', id: row.id, storedAtMs };
      });
    });
  } catch (error) {
    // A repeat may hold the row of the same delivery.
    if (isLockFailure(error)) return set.map(() => ({ kind: 'must_apply' }));
    throw error;
  }
}

/** A delivery that has waited for longer is not being applied by any worker, so others no longer wait for it. */
const longestFlood = sql`interval '2 minutes'`;

function oldestWaiting(deps: Deps, tenantId: string): Promise<number | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [row] = await tx
      .select({ oldestMs: sql<number | null>`(extract(epoch from min(${inbox.receivedAt})) * 1000)::double precision` })
      .from(inbox)
      .where(sql`state = 'pending' and attempts = 0 and received_at > clock_timestamp() - ${longestFlood}`);
    return row?.oldestMs ?? null;
  });
}
