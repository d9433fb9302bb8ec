import { createHash, randomBytes } from 'node:crypto';
import { and, eq } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { apiKeys, connections, tenants } from '../db/schema/index.ts';
import { type TenantSettings, tenantSettings } from '../domain/tenant-settings.ts';
import type { Deps } from './deps.ts';

export interface TenantRequest {
  slug: string;
  name: string;
  timeScale: number;
  synthetic: boolean;
  settings: Partial<TenantSettings>;
}

/** What a newly provisioned tenant needs to know. Secrets of connections can be opened again; an API key cannot. */
export interface ProvisionedTenant {
  tenantId: string;
  /** Only when it was made by this call. */
  apiKey: string | null;
  webhooks: Record<'shopify' | 'generic', { path: string; secret: string }>;
}

/** How an API key is stored: its SHA-256, hex. The key has 256 bits of its own, so nothing slower is needed. */
export function hashApiKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/**
 * Make a tenant with its API key and its two inbound connections, or find what is there. Calling it again changes nothing but the
 * name, the settings that are given, and the time scale.
 */
export async function provisionTenant(deps: Pick<Deps, 'db' | 'sealing'>, request: TenantRequest): Promise<ProvisionedTenant> {
  const known = (await deps.db.listTenants()).find((t) => t.slug === request.slug);
  const tenantId = known?.id ?? uuidv7();
  return deps.db.withTenant(tenantId, async (tx) => {
    if (known === undefined) {
      await tx.insert(tenants).values({
        id: tenantId,
        slug: request.slug,
        name: request.name,
        settings: tenantSettings.parse(request.settings),
        timeScale: request.timeScale,
        synthetic: request.synthetic,
      });
    } else {
      const [row] = await tx.select().from(tenants).where(eq(tenants.id, tenantId));
      const settings = tenantSettings.parse({ ...row?.settings, ...request.settings });
      await tx.update(tenants).set({ name: request.name, settings, timeScale: request.timeScale }).where(eq(tenants.id, tenantId));
    }
    const connectionOf = async (integration: 'shopify' | 'generic', newSecret: () => string) => {
      const [row] = await tx
        .select()
        .from(connections)
        .where(and(eq(connections.integration, integration)))
        .limit(1);
      const sealed = row?.secrets[0];
      if (row !== undefined && sealed !== undefined) return { path: `/api/webhooks/${integration}/${row.id}`, secret: deps.sealing.open(sealed) };
      const id = uuidv7();
      const secret = newSecret();
      await tx
        .insert(connections)
        .values({ tenantId, id, integration, name: `${request.name} (${integration})`, secrets: [deps.sealing.seal(secret)] });
      return { path: `/api/webhooks/${integration}/${id}`, secret };
    };
    const shopify = await connectionOf('shopify', () => `shpss_${randomBytes(16).toString('hex')}`);
    const generic = await connectionOf('generic', () => `whsec_${randomBytes(24).toString('base64')}`);
    const [key] = await tx.select({ id: apiKeys.id }).from(apiKeys).limit(1);
    const apiKey = key === undefined ? `rk_${randomBytes(32).toString('base64url')}` : null;
    if (apiKey !== null) await tx.insert(apiKeys).values({ tenantId, id: uuidv7(), name: 'first key', hash: hashApiKey(apiKey) });
    return { tenantId, apiKey, webhooks: { shopify, generic } };
  });
}

/** One more key for a tenant; shown once. */
export async function issueApiKey(deps: Pick<Deps, 'db'>, tenantId: string, name: string): Promise<string> {
  const key = `rk_${randomBytes(32).toString('base64url')}`;
  await deps.db.withTenant(tenantId, (tx) => tx.insert(apiKeys).values({ tenantId, id: uuidv7(), name, hash: hashApiKey(key) }));
  return key;
}
