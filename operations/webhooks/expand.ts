import { asc, eq, inArray, isNull, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../../db/client.ts';
import { webhookDeliveries, webhookEndpoints, webhookEvents } from '../../db/schema/index.ts';
import type { Deps } from '../deps.ts';
import { readTold } from './sources.ts';

// Within half a second of waiting for the next statement, which Postgres allows.
const atOnce = 100;

type Endpoint = Pick<typeof webhookEndpoints.$inferSelect, 'id' | 'eventTypes' | 'state' | 'createdAt'>;
type EventRow = typeof webhookEvents.$inferSelect;

/**
 * Make payloads and deliveries of what triggers have noted, the oldest first. Each row is done once, in one transaction; rows that another worker has
 * in hand are left to it.
 * @returns whether there may be more
 */
export async function expandEvents(deps: Pick<Deps, 'db' | 'log'>, tenantId: string): Promise<boolean> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const rows = await tx
      .select()
      .from(webhookEvents)
      .where(isNull(webhookEvents.expandedAt))
      .orderBy(asc(webhookEvents.seq))
      .limit(atOnce)
      .for('update', { skipLocked: true });
    if (rows.length === 0) return false;
    const { id, eventTypes, state, createdAt } = webhookEndpoints;
    const endpoints = await tx.select({ id, eventTypes, state, createdAt }).from(webhookEndpoints).where(eq(webhookEndpoints.listens, true));
    // Where only live events are read, nothing is to be delivered.
    if (endpoints.length > 0) for (const row of rows) await expand(deps, tx, row, endpoints);
    await tx
      .update(webhookEvents)
      .set({ expandedAt: sql`clock_timestamp()` })
      .where(
        inArray(
          webhookEvents.id,
          rows.map((row) => row.id),
        ),
      );
    return rows.length === atOnce;
  });
}

async function expand({ log }: Pick<Deps, 'log'>, tx: Tx, row: EventRow, endpoints: readonly Endpoint[]): Promise<void> {
  const told = await readTold(tx, row).catch((err: unknown) => {
    // A bug of ours in one event; the others are still delivered.
    if (!(err instanceof Error) || err.name !== 'ZodError') throw err;
    log.error({ tenantId: row.tenantId, source: row.source, err }, 'an event does not fit the catalogue of outgoing webhooks, and is not told');
    return null;
  });
  if (told === null) return;
  const listening = endpoints.filter((endpoint) => wants(endpoint, row, told.type));
  if (listening.length === 0) return;
  const { type, data, contactId, subjectId } = told;
  await tx.update(webhookEvents).set({ type, payload: { data, subjectId }, contactId }).where(eq(webhookEvents.id, row.id));
  await tx.insert(webhookDeliveries).values(
    listening.map((endpoint) => ({
      tenantId: row.tenantId,
      id: uuidv7(),
      eventId: row.id,
      endpointId: endpoint.id,
      type,
      state: endpoint.state === 'enabled' ? ('waiting' as const) : ('held' as const),
    })),
  );
}

/** A test is for one endpoint, whatever it listens to. */
function wants({ id, eventTypes, createdAt }: Endpoint, { source, refId, at }: EventRow, type: string): boolean {
  if (source === 'test') return id === refId;
  return createdAt <= at && (eventTypes.length === 0 || eventTypes.includes(type));
}
