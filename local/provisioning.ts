import { and, eq } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { createLogger } from '../config/logger.ts';
import { connections } from '../db/schema/index.ts';
import { createDeps } from '../operations/create-deps.ts';
import { issueApiKey, type ProvisionedTenant, provisionTenant, type TenantRequest } from '../operations/provision-tenant.ts';
import { restartDemo } from '../operations/restart-demo.ts';
import { SealError } from '../operations/sealing.ts';
import { StartError } from './start-error.ts';

/** A tenant that `npm start` needs. `renewApiKey`: its key is lost, make a new one. */
export type TenantWish = TenantRequest & { renewApiKey: boolean };

export interface Provisioning {
  provision(wish: TenantWish): Promise<ProvisionedTenant>;
  /** Make sure that the tenant has a connection of the integration with this configuration, and sends by no other one. */
  connect(tenantId: string, connection: { integration: string; name: string; config: unknown; secret: string }): Promise<void>;
  /** End what an earlier run of a synthetic tenant left open. @returns how many enrollments */
  restartDemo(tenantId: string): Promise<number>;
}

/**
 * Access to tenants and their connections, by the same operations as the API.
 * @param masterKey - base64 of 32 bytes
 * @throws StartError when the database was sealed with another master key
 */
export async function withProvisioning<T>(
  access: { databaseUrl: string; masterKey: string; apiUrl: string },
  work: (provisioning: Provisioning) => Promise<T>,
): Promise<T> {
  const deps = createDeps({
    databaseUrl: access.databaseUrl,
    masterKey: Buffer.from(access.masterKey, 'base64'),
    publicUrl: access.apiUrl,
    smtpUrl: null,
    timeScale: null,
    log: createLogger({ part: 'start', level: 'silent' }),
    applicationName: 'rekindle-start',
    maxConnections: 4,
    settlingConnections: 2,
  });
  try {
    return await work({
      async provision({ renewApiKey, ...request }) {
        const tenant = await provisionTenant(deps, request);
        if (!renewApiKey || tenant.apiKey !== null) return tenant;
        return { ...tenant, apiKey: await issueApiKey(deps, tenant.tenantId, 'made by npm start') };
      },
      connect: (tenantId, { integration, name, config, secret }) =>
        deps.db.withTenant(tenantId, async (tx) => {
          const ofIt = and(eq(connections.tenantId, tenantId), eq(connections.integration, integration));
          const text = JSON.stringify(config);
          const known = await tx.select().from(connections).where(ofIt);
          if (known.some((c) => c.state === 'connected' && c.sealedConfig !== null && deps.sealing.open(c.sealedConfig) === text)) return;
          // A message in doubt is looked up through the connection that sent it, so the old connection stays and only stops sending.
          await tx.update(connections).set({ state: 'disconnected' }).where(ofIt);
          const sealed = { secrets: [deps.sealing.seal(secret)], sealedConfig: deps.sealing.seal(text) };
          await tx.insert(connections).values({ tenantId, id: uuidv7(), integration, name, ...sealed });
        }),
      restartDemo: (tenantId) => restartDemo(deps, tenantId),
    });
  } catch (error) {
    if (!(error instanceof SealError)) throw error;
    throw new StartError('The database was made with another .rekindle/master.key. Bring that file back, or begin anew with npm start -- --fresh.', {
      cause: error,
    });
  } finally {
    await deps.db.close();
  }
}
