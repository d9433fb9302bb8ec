import { eq } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../../db/client.ts';
import { tenants } from '../../db/schema/index.ts';
import { settingsOf } from '../../domain/tenant-settings.ts';
import { pointOf } from '../dispatch/assignment.ts';
import type { Deps } from '../deps.ts';
import type { TenantRow } from './delivery.ts';
import type { DecisionContext } from './draft.ts';
import { sourceOf } from './source.ts';

export async function readTenant(tx: Tx, tenantId: string): Promise<TenantRow> {
  const [tenant] = await tx.select().from(tenants).where(eq(tenants.id, tenantId));
  if (tenant === undefined) throw new Error('the tenant does not exist');
  return tenant;
}

/** @param where - `connectionId` is empty and `inboxId` null where there is no webhook */
export function decisionContext(
  deps: Pick<Deps, 'sealing' | 'clock' | 'timeScale' | 'subjects' | 'interventionStores'>,
  where: { tenantId: string; connectionId: string; inboxId: string | null },
  tenant: TenantRow,
): DecisionContext {
  const settings = settingsOf(tenant);
  return {
    source: sourceOf(where, settings),
    tenant: { slug: tenant.slug, settings, timeScale: deps.timeScale ?? tenant.timeScale, isIntervening: isIntervening(where.tenantId, deps) },
    inboxId: where.inboxId,
    nowMs: deps.clock.nowMs(),
    kinds: deps.subjects,
    newId: uuidv7,
    addressHash: (identity) => deps.sealing.addressHash(where.tenantId, identity.kind, identity.value),
  };
}

/** Whether a store is within the rollout share. Its place in the order is fixed, so a store within one share is within every larger one. Source: docs/rules.md#rule-122 */
const isIntervening = (tenantId: string, { interventionStores }: Pick<Deps, 'interventionStores'>): boolean =>
  pointOf('stores with interventions', tenantId) * 100 < interventionStores;
