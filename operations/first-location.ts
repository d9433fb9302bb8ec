import { and, eq, isNull, sql } from 'drizzle-orm';
import { connections } from '../db/schema/index.ts';
import { goHighLevelConfig } from '../integrations/gohighlevel/config.ts';
import { changeConnection, checkConnection, createConnection } from './connections.ts';
import type { Deps } from './deps.ts';
import { provisionTenant } from './provision-tenant.ts';

/** The location that the environment names (`GHL_API_KEY`, `GHL_LOCATION_ID`). */
export interface FirstLocation {
  token: string;
  locationId: string;
  /** A stand-in, in tests. */
  baseUrl?: string;
}

const actor = 'environment';

/**
 * See to it that the first store is connected to its location of GoHighLevel: at every start of every process, and done once. A store is made where
 * there is none. A token that has changed replaces the one before; a connection that somebody has disconnected stays so.
 * @returns the connection
 */
export async function connectFirstLocation(deps: Deps, location: FirstLocation): Promise<{ tenantId: string; connectionId: string }> {
  const tenantId = await firstTenant(deps);
  const connectionId = await deps.db.withTenant(tenantId, async (tx) => {
    // Of processes that start together, one makes it.
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended('first location ' || ${tenantId}, 0))`);
    const rows = await tx
      .select()
      .from(connections)
      .where(and(eq(connections.integration, 'gohighlevel'), isNull(connections.removedAt)));
    for (const row of rows) {
      const config: unknown = row.sealedConfig === null ? null : JSON.parse(deps.sealing.open(row.sealedConfig));
      const known = goHighLevelConfig.safeParse(config).data;
      if (known?.locationId !== location.locationId) continue;
      // One that is let in by an app needs no token of the environment's.
      if (known.token !== undefined && known.token !== location.token && typeof config === 'object')
        await changeConnection(deps, tenantId, row.id, { config: { ...config, token: location.token } }, actor);
      return row.id;
    }
    const config = { leads: 'every_contact', ...location };
    const made = await createConnection(deps, tenantId, { integration: 'gohighlevel', name: 'GoHighLevel', config, secrets: [] }, actor);
    if (made.kind !== 'created') throw new Error(`the location of GHL_LOCATION_ID cannot be connected: ${JSON.stringify(made)}`);
    return made.connection.id;
  });
  const { sends } = (await checkConnection(deps, tenantId, connectionId)) ?? {};
  if (sends?.ok === true) deps.log.info({ tenantId, connectionId }, `GoHighLevel is connected: ${sends.detail}`);
  else
    deps.log.error(
      { tenantId, connectionId },
      `GHL_API_KEY or GHL_LOCATION_ID is not accepted by GoHighLevel (${sends?.detail ?? 'no answer'}): messages through it wait until that is corrected`,
    );
  return { tenantId, connectionId };
}

/** The oldest store that is no demo, else the oldest; one is made where there is none. */
async function firstTenant(deps: Deps): Promise<string> {
  const known = (await deps.db.listTenants()).toSorted((a, b) => Number(a.synthetic) - Number(b.synthetic) || (a.id < b.id ? -1 : 1));
  const [first] = known;
  if (first !== undefined) return first.id;
  return (await provisionTenant(deps, { slug: 'default', name: 'Default store', timeScale: 1, synthetic: false, settings: {} })).tenantId;
}
