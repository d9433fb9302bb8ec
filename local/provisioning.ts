import { openDatabase } from '../db/client.ts';
import { issueApiKey, type ProvisionedTenant, provisionTenant, type TenantRequest } from '../operations/provision-tenant.ts';
import { createSealing, SealError } from '../operations/sealing.ts';
import { StartError } from './start-error.ts';

/** A tenant as `npm start` wants it to exist. `renewApiKey`: nobody here has its key any more, make one. */
export type TenantWish = TenantRequest & { renewApiKey: boolean };
export type Provision = (wish: TenantWish) => Promise<ProvisionedTenant>;

/**
 * The way to tenants and their connections, through the same operation that an administrator uses.
 * @param masterKey - base64 of 32 bytes
 * @throws StartError when the database was sealed with another master key
 */
export async function withProvisioning<T>(
  access: { databaseUrl: string; masterKey: string },
  work: (provision: Provision) => Promise<T>,
): Promise<T> {
  const db = openDatabase({ url: access.databaseUrl, applicationName: 'rekindle-start', maxConnections: 2, settlingConnections: 1 });
  const deps = { db, sealing: createSealing(Buffer.from(access.masterKey, 'base64')) };
  try {
    return await work(async ({ renewApiKey, ...request }) => {
      const tenant = await provisionTenant(deps, request);
      if (!renewApiKey || tenant.apiKey !== null) return tenant;
      return { ...tenant, apiKey: await issueApiKey(deps, tenant.tenantId, 'made by npm start') };
    });
  } catch (error) {
    if (!(error instanceof SealError)) throw error;
    throw new StartError('The database was made with another .rekindle/master.key. Bring that file back, or begin anew with npm start -- --fresh.', {
      cause: error,
    });
  } finally {
    await db.close();
  }
}
