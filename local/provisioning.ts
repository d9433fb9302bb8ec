import { createLogger } from '../config/logger.ts';
import { firstKey, issueKey } from '../operations/api-keys.ts';
import { type ConnectionRequest, ensureConnection, oldestConnection, type ProvisionedConnection } from '../operations/connections.ts';
import { createDeps } from '../operations/create-deps.ts';
import { type ProvisionedTenant, provisionTenant, type TenantRequest } from '../operations/provision-tenant.ts';
import { type CompiledPreset, publishPreset } from '../operations/publish-sequence.ts';
import { restartDemo } from '../operations/restart-demo.ts';
import { SealError } from '../operations/sealing.ts';
import { StartError } from './start-error.ts';

/** As the audit log names it. */
const startActor = 'npm start';

/** A tenant that `npm start` needs. `renewApiKey`: its key is lost, make a new one. */
export type TenantWish = TenantRequest & { renewApiKey: boolean };

export interface Provisioning {
  provision(wish: TenantWish): Promise<ProvisionedTenant>;
  /** See to it that the tenant has a connection of the integration with this configuration, and sends by no other of it. */
  connect(tenantId: string, request: ConnectionRequest): Promise<ProvisionedConnection>;
  /** The tenant's connection of that integration, whoever made it, else this one. */
  connectOnce(tenantId: string, request: ConnectionRequest): Promise<{ path: string; secret: string | null; config: unknown }>;
  /** Make an adapted preset the tenant's version in use, unless somebody has published one of their own. */
  publish(tenantId: string, preset: CompiledPreset): Promise<number>;
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
        return { ...tenant, apiKey: (await issueKey(deps, tenant.tenantId, { ...firstKey, name: 'made by npm start' }, startActor)).apiKey };
      },
      connect: (tenantId, request) => ensureConnection(deps, tenantId, request, startActor),
      async connectOnce(tenantId, request) {
        const known = await oldestConnection(deps, tenantId, request.integration);
        return known ?? { ...(await ensureConnection(deps, tenantId, request, startActor)), config: request.config };
      },
      publish: (tenantId, preset) => publishPreset(deps, tenantId, preset, { by: startActor }),
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
