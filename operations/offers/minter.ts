import { and, eq, isNotNull } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { connections } from '../../db/schema/index.ts';
import type { Minter } from '../../integrations/port.ts';
import type { Deps } from '../deps.ts';

/** The integration that makes codes of a source. */
const integrationOf = (source: string) => `${source}-offers`;

/** The connection in which new codes of this source are made; null: nothing does. */
export async function shopOf(tx: Tx, source: string): Promise<string | null> {
  const [row] = await tx
    .select({ id: connections.id })
    .from(connections)
    .where(and(eq(connections.integration, integrationOf(source)), eq(connections.state, 'connected'), isNotNull(connections.sealedConfig)))
    .orderBy(connections.id)
    .limit(1);
  return row?.id ?? null;
}

/**
 * What makes codes at a shop, and closes them there.
 * @param closing - a connection that was taken away still closes what was made through it
 * @returns null: the connection makes none any more
 */
export async function minterOf(
  deps: Pick<Deps, 'db' | 'sealing' | 'integrations'>,
  tenantId: string,
  connectionId: string,
  { closing = false } = {},
): Promise<Minter | null> {
  const [row] = await deps.db.withTenant(tenantId, (tx) => tx.select().from(connections).where(eq(connections.id, connectionId)));
  if (row?.sealedConfig == null || (row.state !== 'connected' && !closing)) return null;
  return deps.integrations[row.integration]?.minter?.(JSON.parse(deps.sealing.open(row.sealedConfig))) ?? null;
}

/** What a shop that gave no clear answer asked for; null: it did not. */
export function retryAfterOf(error: unknown): number | null {
  return error instanceof Error && 'retryAfterMs' in error && typeof error.retryAfterMs === 'number' ? error.retryAfterMs : null;
}
