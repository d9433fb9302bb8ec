import { randomBytes } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { apiKeys, tenants } from '../db/schema/index.ts';
import { type TenantSettings, tenantSettings } from '../domain/tenant-settings.ts';
import { firstKey, insertKey } from './api-keys.ts';
import { recordAudit } from './audit.ts';
import { ensureConnection } from './connections.ts';
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

/** The actor in the audit log of what is provisioned without an API key. */
const provisioner = 'provisioning';

/**
 * Make a tenant with its API key and its two inbound connections, or find what is there. Calling it again changes nothing but the
 * name, the settings that are given, and the time scale.
 */
export async function provisionTenant(
  deps: Pick<Deps, 'db' | 'sealing' | 'integrations' | 'publicUrl'>,
  request: TenantRequest,
): Promise<ProvisionedTenant> {
  const known = (await deps.db.listTenants()).find((t) => t.slug === request.slug);
  const tenantId = known?.id ?? uuidv7();
  const apiKey = await deps.db.withTenant(tenantId, async (tx) => {
    const { slug, name, timeScale, synthetic } = request;
    if (known === undefined) {
      await tx.insert(tenants).values({ id: tenantId, slug, name, settings: tenantSettings.parse(request.settings), timeScale, synthetic });
      await recordAudit(tx, { tenantId, actor: provisioner, action: 'tenant.create', subject: null, data: { slug } });
    } else {
      const [row] = await tx.select().from(tenants).where(eq(tenants.id, tenantId));
      const settings = tenantSettings.parse({ ...row?.settings, ...request.settings });
      await tx.update(tenants).set({ name, settings, timeScale }).where(eq(tenants.id, tenantId));
    }
    const [key] = await tx.select({ id: apiKeys.id }).from(apiKeys).limit(1);
    return key === undefined ? (await insertKey(tx, tenantId, firstKey, provisioner)).apiKey : null;
  });
  const connect = async (integration: 'shopify' | 'generic', secrets: string[]) => {
    const wish = { integration, name: `${request.name} (${integration})`, config: null, secrets };
    const { path, secret } = await ensureConnection(deps, tenantId, wish, provisioner);
    if (secret === null) throw new Error(`the connection of ${integration} has no secret`);
    return { path, secret };
  };
  // A real shop makes its secret itself; this one has none yet.
  const shopify = await connect('shopify', [`shpss_${randomBytes(16).toString('hex')}`]);
  const generic = await connect('generic', []);
  return { tenantId, apiKey, webhooks: { shopify, generic } };
}
