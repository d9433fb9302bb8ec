import { and, countDistinct, eq, inArray, isNotNull, isNull } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { connections, enrollments, lookups, messages } from '../../db/schema/index.ts';
import { changeConnection, checkConnection } from '../connections.ts';
import { beyond, byAge } from '../read/page.ts';
import { nowhere, type ParkedItem, type ParkedKind } from './kind.ts';

/** A connection whose provider does not let us in: nothing asks it any more until somebody has put it right. */
export const connection: ParkedKind = {
  list: (deps, tenantId, { one, ...page }) =>
    deps.db.withTenant(tenantId, async (tx) => {
      const rows = await tx
        .select({
          id: connections.id,
          integration: connections.integration,
          name: connections.name,
          fault: connections.fault,
          faultAt: connections.faultAt,
        })
        .from(connections)
        .where(
          and(
            isNotNull(connections.fault),
            isNull(connections.removedAt),
            eq(connections.state, 'connected'),
            beyond(connections.id, 'oldest', page),
            one === undefined ? undefined : eq(connections.id, one),
          ),
        )
        .orderBy(byAge(connections.id, 'oldest', page))
        .limit(page.limit);
      const affected = await countAffected(
        tx,
        rows.map(({ id }) => id),
      );
      return rows.map(
        ({ id, integration, name, fault, faultAt }): ParkedItem => ({
          id,
          kind: 'connection',
          cause: 'login_refused',
          sinceMs: faultAt,
          sentence: `${integration} does not let “${name}” in: ${fault ?? ''}.`,
          advice: `Give it what it needs (rekindle connections change ${id}, or authorise), or put the account right at ${integration}, then resume: it is tried at once. Cancel disconnects it.`,
          affected: affected.get(id) ?? { enrollments: 0, deliveries: 0 },
          actions: ['resume', 'cancel'],
          about: { ...nowhere, connectionId: id },
          externalIds: [],
        }),
      );
    }),
  acts: {
    async resume(deps, { tenantId, id }) {
      const check = await checkConnection(deps, tenantId, id);
      if (check === null) return { kind: 'unknown' };
      if (check.sends?.ok === true) return { kind: 'done' };
      const detail = check.sends?.detail ?? 'it cannot be tried out: give it a new configuration (rekindle connections change)';
      return { kind: 'refused', code: 'still_refused', detail: `The provider still does not let us in: ${detail}` };
    },
    async cancel(deps, { tenantId, id, actor }) {
      const changed = await changeConnection(deps, tenantId, id, { state: 'disconnected' }, actor);
      return changed.kind === 'changed' ? { kind: 'done' } : { kind: 'unknown' };
    },
  },
};

/** Running enrollments whose message it did not take, and deliveries that wait to be looked up through it. */
async function countAffected(tx: Tx, ids: string[]): Promise<Map<string, ParkedItem['affected']>> {
  if (ids.length === 0) return new Map();
  const waiting = await tx
    .select({ id: messages.connectionId, n: countDistinct(messages.enrollmentId) })
    .from(messages)
    .innerJoin(enrollments, and(eq(enrollments.tenantId, messages.tenantId), eq(enrollments.id, messages.enrollmentId)))
    .where(and(inArray(messages.connectionId, ids), eq(messages.state, 'failed'), isNull(enrollments.endedAt)))
    .groupBy(messages.connectionId);
  const asked = await tx
    .select({ id: lookups.connectionId, n: countDistinct(lookups.id) })
    .from(lookups)
    .where(and(inArray(lookups.connectionId, ids), eq(lookups.state, 'waiting')))
    .groupBy(lookups.connectionId);
  const of = (rows: { id: string | null; n: number }[], id: string) => rows.find((row) => row.id === id)?.n ?? 0;
  return new Map(ids.map((id) => [id, { enrollments: of(waiting, id), deliveries: of(asked, id) }]));
}
