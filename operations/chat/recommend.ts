import { and, asc, eq, isNotNull, isNull } from 'drizzle-orm';
import { connections } from '../../db/schema/index.ts';
import type { Recommendations } from '../../domain/chat/property.ts';
import { faultOf } from '../../db/client.ts';
import type { RecommendationRequest } from '../../integrations/port.ts';
import type { Deps } from '../deps.ts';

/** People wait for the answer, which is due within a second. */
const timeoutMs = 700;

/**
 * What the store's source recommends. Asked outside of any transaction.
 * @returns null: there is no source, or it gave no answer in time
 */
export async function recommend(deps: Deps, tenantId: string, request: RecommendationRequest): Promise<Recommendations | null> {
  const rows = await deps.db.withTenant(tenantId, (tx) =>
    tx
      .select()
      .from(connections)
      .where(and(eq(connections.state, 'connected'), isNull(connections.removedAt), isNotNull(connections.sealedConfig)))
      .orderBy(asc(connections.id)),
  );
  const row = rows.find(({ integration }) => deps.integrations[integration]?.recommender !== undefined);
  if (row?.sealedConfig == null) return null;
  try {
    const source = deps.integrations[row.integration]?.recommender?.(JSON.parse(deps.sealing.open(row.sealedConfig)));
    return (await source?.recommend(request, { timeoutMs, nowMs: deps.clock.nowMs() })) ?? null;
  } catch (error) {
    deps.log.warn(
      { tenantId, connectionId: row.id, reason: faultOf(error) },
      'a source of recommendations gave no answer: the chat goes on without a list',
    );
    return null;
  }
}
