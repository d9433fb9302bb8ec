import { eq } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { postgresCode } from '../db/client.ts';
import { tenants } from '../db/schema/index.ts';
import type { SettingsChange } from '../domain/settings-change.ts';
import { tenantSettings } from '../domain/tenant-settings.ts';
import { firstKey, insertKey } from './api-keys.ts';
import { recordAudit } from './audit.ts';
import type { Deps } from './deps.ts';
import { isDescending, type Page, pageOf, type PageWanted } from './read/page.ts';
import { publishPresetsTo } from './publish-presets.ts';

export interface TenantView {
  id: string;
  slug: string;
  name: string;
  timeScale: number;
  synthetic: boolean;
}

/**
 * Make a tenant. When this returns, its preset sequences are active and its key works, in every process, for the very next webhook.
 * @returns the key, which is stored only as a hash; null: the slug is taken
 */
export async function createTenant(
  deps: Pick<Deps, 'db' | 'log' | 'subjects' | 'presets'>,
  request: { slug: string; name: string; settings: SettingsChange },
  by: string,
): Promise<{ tenant: TenantView; apiKey: string } | null> {
  const presets = await deps.presets();
  const tenant = { id: uuidv7(), slug: request.slug, name: request.name, timeScale: 1, synthetic: false };
  const settings = tenantSettings.parse({ storeName: request.name, senderName: request.name, ...request.settings });
  let apiKey: string;
  try {
    apiKey = await deps.db.withTenant(tenant.id, async (tx) => {
      await tx.insert(tenants).values({ ...tenant, settings });
      await recordAudit(tx, { tenantId: tenant.id, actor: by, action: 'tenant.create', subject: null, data: { slug: tenant.slug } });
      return (await insertKey(tx, tenant.id, firstKey, by)).apiKey;
    });
  } catch (error) {
    // unique_violation: it can only be the slug's.
    if (postgresCode(error) === '23505') return null;
    throw error;
  }
  await publishPresetsTo(deps, tenant, presets);
  return { tenant, apiKey };
}

/** The oldest first. An installation has few enough of them to read all. */
export async function listAllTenants(deps: Pick<Deps, 'db'>, page: PageWanted): Promise<Page<TenantView>> {
  const sign = isDescending('oldest', page) ? -1 : 1;
  const all = (await deps.db.listTenants()).sort((a, b) => (a.id < b.id ? -sign : sign));
  const rest = all.filter(({ id }) => page.after === null || (sign === 1 ? id > page.after : id < page.after));
  return pageOf(rest, page.limit, ({ id }) => id);
}

/** By id or slug; null: there is none. */
export async function findTenant(deps: Pick<Deps, 'db'>, idOrSlug: string): Promise<TenantView | null> {
  return (await deps.db.listTenants()).find((t) => t.id === idOrSlug || t.slug === idOrSlug) ?? null;
}

export async function renameTenant(deps: Pick<Deps, 'db'>, tenantId: string, name: string, by: string): Promise<void> {
  await deps.db.withTenant(tenantId, async (tx) => {
    await tx.update(tenants).set({ name }).where(eq(tenants.id, tenantId));
    await recordAudit(tx, { tenantId, actor: by, action: 'tenant.rename', subject: null, data: { name } });
  });
}
