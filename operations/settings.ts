import { desc, eq } from 'drizzle-orm';
import type { Tx } from '../db/client.ts';
import { settingsVersions, tenants } from '../db/schema/index.ts';
import { type SettingsChange, settingsChange } from '../domain/settings-change.ts';
import { examplesIn, type TenantSettings, tenantSettings } from '../domain/tenant-settings.ts';
import type { Deps } from './deps.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted } from './read/page.ts';

export { settingsChange };

/** A tenant's settings and how they came about. Version 0: they are what they were when the tenant was made. */
export interface CurrentSettings {
  version: number;
  settings: TenantSettings;
  /** Names of those that are still the example that a store begins with. */
  examples: string[];
  changedBy: string | null;
  changedAtMs: number | null;
}

export interface SettingsVersion {
  version: number;
  /** What the change asked for. */
  changes: Partial<TenantSettings>;
  changedBy: string;
  changedAtMs: number;
}

export function readSettings(deps: Pick<Deps, 'db'>, tenantId: string): Promise<CurrentSettings> {
  return deps.db.withTenant(tenantId, (tx) => read(tx, tenantId));
}

async function read(tx: Tx, tenantId: string): Promise<CurrentSettings> {
  const [tenant] = await tx.select({ settings: tenants.settings }).from(tenants).where(eq(tenants.id, tenantId));
  const [latest] = await tx.select().from(settingsVersions).orderBy(desc(settingsVersions.version)).limit(1);
  const settings = tenantSettings.parse(tenant?.settings);
  return {
    version: latest?.version ?? 0,
    settings,
    examples: examplesIn(settings),
    changedBy: latest?.changedBy ?? null,
    changedAtMs: latest?.changedAt ?? null,
  };
}

/**
 * Change some settings. Whatever comes after the answer, a webhook or a dispatch, uses the new ones.
 * @param change.expectedVersion - the version that the caller has seen; null: whatever it is
 * @param change.by - who, e.g. `api key …`
 * @returns `stale`: somebody changed them meanwhile, and nothing was written
 */
export function changeSettings(
  deps: Pick<Deps, 'db'>,
  tenantId: string,
  change: { changes: SettingsChange; expectedVersion: number | null; by: string },
): Promise<{ kind: 'changed' | 'stale'; current: CurrentSettings }> {
  return deps.db.withTenant(tenantId, (tx) => changeSettingsIn(tx, tenantId, change));
}

/** The same in a transaction of the caller's. */
export async function changeSettingsIn(
  tx: Tx,
  tenantId: string,
  change: { changes: SettingsChange; expectedVersion: number | null; by: string },
): Promise<{ kind: 'changed' | 'stale'; current: CurrentSettings }> {
  // Changes of one tenant wait for each other.
  await tx.select({ id: tenants.id }).from(tenants).where(eq(tenants.id, tenantId)).for('no key update');
  const before = await read(tx, tenantId);
  if (change.expectedVersion !== null && change.expectedVersion !== before.version) return { kind: 'stale', current: before };
  const changes = present(change.changes);
  const settings = tenantSettings.parse({ ...before.settings, ...changes });
  await tx.update(tenants).set({ settings }).where(eq(tenants.id, tenantId));
  await tx.insert(settingsVersions).values({ tenantId, version: before.version + 1, settings, changes, changedBy: change.by });
  return { kind: 'changed', current: await read(tx, tenantId) };
}

/** Changes, the latest first. @param page - `after` is a version */
export function listSettingsVersions(deps: Pick<Deps, 'db'>, tenantId: string, page: PageWanted): Promise<Page<SettingsVersion>> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const rows = await tx
      .select()
      .from(settingsVersions)
      .where(beyond(settingsVersions.version, 'newest', page))
      .orderBy(byAge(settingsVersions.version, 'newest', page))
      .limit(page.limit + 1);
    const versions = rows.map(({ version, changes, changedBy, changedAt }) => ({ version, changes, changedBy, changedAtMs: changedAt }));
    return pageOf(versions, page.limit, (row) => String(row.version));
  });
}

/** Without the fields that a change leaves out. */
function present(changes: SettingsChange): Partial<TenantSettings> {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
}
