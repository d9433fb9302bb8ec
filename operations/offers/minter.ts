import type { Minter } from '../../integrations/port.ts';
import type { Deps } from '../deps.ts';
import { readConfigured } from '../outlets.ts';

/** What makes codes of this kind at the tenant's shop; null: nothing does. */
export async function minterOf(deps: Pick<Deps, 'db' | 'sealing' | 'integrations'>, tenantId: string, source: string): Promise<Minter | null> {
  const rows = await deps.db.withTenant(tenantId, readConfigured);
  const row = rows.find(({ integration, state }) => integration === `${source}-offers` && state === 'connected');
  if (row?.sealedConfig == null) return null;
  return deps.integrations[row.integration]?.minter?.(JSON.parse(deps.sealing.open(row.sealedConfig))) ?? null;
}
