import { and, count, eq, inArray, isNull, ne } from 'drizzle-orm';
import { webhookDeliveries, webhookEndpoints } from '../../db/schema/index.ts';
import { changeEndpoint, removeEndpoint } from '../webhooks/endpoints.ts';
import { beyond, byAge } from '../read/page.ts';
import { nowhere, type ParkedItem, type ParkedKind } from './kind.ts';

/** An endpoint of outgoing webhooks that was disabled by its own failures. What happens meanwhile waits for it. */
export const endpoint: ParkedKind = {
  list: (deps, tenantId, { one, ...page }) =>
    deps.db.withTenant(tenantId, async (tx) => {
      const rows = await tx
        .select()
        .from(webhookEndpoints)
        .where(
          and(
            eq(webhookEndpoints.state, 'disabled'),
            ne(webhookEndpoints.disabledReason, 'by_hand'),
            isNull(webhookEndpoints.removedAt),
            beyond(webhookEndpoints.id, 'oldest', page),
            one === undefined ? undefined : eq(webhookEndpoints.id, one),
          ),
        )
        .orderBy(byAge(webhookEndpoints.id, 'oldest', page))
        .limit(page.limit);
      const ids = rows.map(({ id }) => id);
      const held =
        ids.length === 0
          ? []
          : await tx
              .select({ id: webhookDeliveries.endpointId, n: count() })
              .from(webhookDeliveries)
              .where(and(inArray(webhookDeliveries.endpointId, ids), eq(webhookDeliveries.state, 'held')))
              .groupBy(webhookDeliveries.endpointId);
      return rows.map(({ id, url, disabledReason, disabledAt }): ParkedItem => {
        const { host } = new URL(url);
        const gone = disabledReason === 'gone';
        return {
          id,
          kind: 'endpoint',
          cause: gone ? 'endpoint_gone' : 'endpoint_failing',
          sinceMs: disabledAt,
          sentence: gone
            ? `The webhook endpoint at ${host} answered 410 Gone: it was disabled.`
            : `The webhook endpoint at ${host} took nothing for days: it was disabled.`,
          advice: `Put it right, or give it another address (rekindle webhooks change ${id} --url …), then resume: what waits for it is sent at once. What waits is kept for 30 days. Cancel removes the endpoint.`,
          affected: { enrollments: 0, deliveries: held.find((row) => row.id === id)?.n ?? 0 },
          actions: ['resume', 'cancel'],
          about: nowhere,
          externalIds: [],
        };
      });
    }),
  acts: {
    async resume(deps, { tenantId, id, actor }) {
      const changed = await changeEndpoint(deps, tenantId, id, { state: 'enabled' }, actor);
      if (changed.kind !== 'changed') return { kind: 'unknown' };
      deps.kickRelay();
      return { kind: 'done' };
    },
    async cancel(deps, { tenantId, id, actor }) {
      return (await removeEndpoint(deps, tenantId, id, actor)) ? { kind: 'done' } : { kind: 'unknown' };
    },
  },
};
