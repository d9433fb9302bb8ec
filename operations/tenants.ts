import { randomBytes } from 'node:crypto';
import { and, asc, eq, gt, isNull } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { postgresCode } from '../db/client.ts';
import { apiKeys, tenants } from '../db/schema/index.ts';
import type { SettingsChange } from '../domain/settings-change.ts';
import { tenantSettings } from '../domain/tenant-settings.ts';
import type { Deps } from './deps.ts';
import { hashApiKey } from './provision-tenant.ts';
import { type Page, pageOf } from './read/page.ts';
import { loadPresets, publishPresetsTo } from './publish-presets.ts';

export interface TenantView {
  id: string;
  slug: string;
  name: string;
  timeScale: number;
  synthetic: boolean;
}

export interface ApiKeyView {
  id: string;
  name: string;
  createdAtMs: number;
  revokedAtMs: number | null;
}

const newKey = () => `rk_${randomBytes(32).toString('base64url')}`;

/**
 * Make a tenant. When this returns, its preset sequences are active and its key works, in every process, for the very next webhook.
 * @returns the key, which is stored only as a hash; null: the slug is taken
 */
export async function createTenant(
  deps: Pick<Deps, 'db' | 'log' | 'subjects'>,
  request: { slug: string; name: string; settings: SettingsChange },
): Promise<{ tenant: TenantView; apiKey: string } | null> {
  const presets = await loadPresets();
  const tenant = { id: uuidv7(), slug: request.slug, name: request.name, timeScale: 1, synthetic: false };
  const apiKey = newKey();
  const settings = tenantSettings.parse({ storeName: request.name, senderName: request.name, ...request.settings });
  try {
    await deps.db.withTenant(tenant.id, async (tx) => {
      await tx.insert(tenants).values({ ...tenant, settings });
      await tx.insert(apiKeys).values({ tenantId: tenant.id, id: uuidv7(), name: 'first key', hash: hashApiKey(apiKey) });
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
export async function listAllTenants(deps: Pick<Deps, 'db'>, { limit, after }: { limit: number; after: string | null }): Promise<Page<TenantView>> {
  const all = (await deps.db.listTenants()).sort((a, b) => (a.id < b.id ? -1 : 1));
  return pageOf(
    all.filter((tenant) => after === null || tenant.id > after),
    limit,
    (tenant) => tenant.id,
  );
}

/** By id or slug; null: there is none. */
export async function findTenant(deps: Pick<Deps, 'db'>, idOrSlug: string): Promise<TenantView | null> {
  return (await deps.db.listTenants()).find((t) => t.id === idOrSlug || t.slug === idOrSlug) ?? null;
}

export async function renameTenant(deps: Pick<Deps, 'db'>, tenantId: string, name: string): Promise<void> {
  await deps.db.withTenant(tenantId, (tx) => tx.update(tenants).set({ name }).where(eq(tenants.id, tenantId)));
}

/** The oldest first, revoked ones too. */
export function listApiKeys(
  deps: Pick<Deps, 'db'>,
  tenantId: string,
  { limit, after }: { limit: number; after: string | null },
): Promise<Page<ApiKeyView>> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const rows = await tx
      .select()
      .from(apiKeys)
      .where(after === null ? undefined : gt(apiKeys.id, after))
      .orderBy(asc(apiKeys.id))
      .limit(limit + 1);
    const views = rows.map(({ id, name, createdAt, revokedAt }) => ({ id, name, createdAtMs: createdAt, revokedAtMs: revokedAt }));
    return pageOf(views, limit, (key) => key.id);
  });
}

/** One more key. @returns the key itself, which is shown once */
export async function issueKey(deps: Pick<Deps, 'db'>, tenantId: string, name: string): Promise<{ id: string; apiKey: string }> {
  const [id, apiKey] = [uuidv7(), newKey()];
  await deps.db.withTenant(tenantId, (tx) => tx.insert(apiKeys).values({ tenantId, id, name, hash: hashApiKey(apiKey) }));
  return { id, apiKey };
}

/** The key opens nothing from now on. @returns false when there is no such key, or it was revoked before */
export function revokeKey(deps: Pick<Deps, 'db' | 'clock'>, tenantId: string, keyId: string): Promise<boolean> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const revoked = await tx
      .update(apiKeys)
      .set({ revokedAt: deps.clock.nowMs() })
      .where(and(eq(apiKeys.id, keyId), isNull(apiKeys.revokedAt)))
      .returning({ id: apiKeys.id });
    return revoked.length > 0;
  });
}
