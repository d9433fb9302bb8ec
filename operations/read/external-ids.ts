import { and, asc, eq, inArray } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { connections, subjectKeys } from '../../db/schema/index.ts';

/** An id that the source has for a subject, as its webhooks give it. */
export interface ExternalId {
  /** `external`, `checkout_token`, `cart_token` … */
  kind: string;
  value: string;
  integration: string;
  connectionId: string;
}

/** The source's own ids of these subjects, by Rekindle's id of the subject. */
export async function readExternalIds(tx: Tx, subjectIds: readonly string[]): Promise<Map<string, ExternalId[]>> {
  const found = new Map<string, ExternalId[]>();
  if (subjectIds.length === 0) return found;
  const rows = await tx
    .select({
      subjectId: subjectKeys.subjectId,
      kind: subjectKeys.kind,
      value: subjectKeys.value,
      integration: connections.integration,
      connectionId: connections.id,
    })
    .from(subjectKeys)
    .innerJoin(connections, and(eq(connections.tenantId, subjectKeys.tenantId), eq(connections.id, subjectKeys.connectionId)))
    .where(inArray(subjectKeys.subjectId, [...subjectIds]))
    .orderBy(asc(subjectKeys.id));
  for (const { subjectId, ...id } of rows) found.set(subjectId, [...(found.get(subjectId) ?? []), id]);
  return found;
}
