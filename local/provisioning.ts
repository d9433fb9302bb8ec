import { and, asc, eq, isNull } from 'drizzle-orm';
import { createLogger } from '../config/logger.ts';
import { connections } from '../db/schema/index.ts';
import { firstKey, issueKey } from '../operations/api-keys.ts';
import { type CampaignFields, createCampaign, listCampaigns } from '../operations/campaigns/campaigns.ts';
import {
  changeConnection,
  type ConnectionRequest,
  createConnection,
  ensureConnection,
  listConnections,
  type ProvisionedConnection,
} from '../operations/connections.ts';
import { createDeps } from '../operations/create-deps.ts';
import type { Deps } from '../operations/deps.ts';
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
  /**
   * The tenant's connection of this name, made where there is none, and configured for this start where it belongs to this machine.
   * @returns `isTheirs`: somebody has given it an account of their own, and it stays as it is
   */
  standIn(tenantId: string, wish: StandInWish): Promise<StandInConnection>;
  /** Whether the tenant sends by a connection that is none of ours. @param isOurs - by its name */
  sendsByItself(tenantId: string, isOurs: (name: string) => boolean): Promise<boolean>;
  /** Disconnect what has such a name: nothing listens there. */
  disconnect(tenantId: string, isOurs: (name: string) => boolean): Promise<void>;
  /** The tenant's campaign of this name, made where there is none. */
  campaign(tenantId: string, fields: CampaignFields): Promise<void>;
  /** Make an adapted preset the tenant's version in use, unless somebody has published one of their own. */
  publish(tenantId: string, preset: CompiledPreset): Promise<number>;
  /** End what an earlier run of a synthetic tenant left open. @returns how many enrollments */
  restartDemo(tenantId: string): Promise<number>;
}

/** A connection that leads to a stand-in on this machine. */
export interface StandInWish {
  integration: string;
  name: string;
  /** @param known - the configuration that is there; undefined: there is none. @returns null where that is somebody's own */
  config: (known: unknown) => object | null;
  /** Webhook secrets that the stand-in has; empty: the integration makes or knows its own. */
  secrets?: string[];
}

export type StandInConnection = ProvisionedConnection & { config: unknown; isTheirs: boolean };

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
      standIn: (tenantId, wish) => standIn(deps, tenantId, wish),
      async sendsByItself(tenantId, isOurs) {
        const { items } = await listConnections(deps, tenantId, { limit: 200, after: null });
        return items.some(({ name, sends, state }) => sends && state === 'connected' && !isOurs(name));
      },
      async disconnect(tenantId, isOurs) {
        const { items } = await listConnections(deps, tenantId, { limit: 200, after: null });
        for (const { id, name, state } of items)
          if (state === 'connected' && isOurs(name)) await changeConnection(deps, tenantId, id, { state: 'disconnected' }, startActor);
      },
      async campaign(tenantId, fields) {
        const { items } = await listCampaigns(deps, tenantId, {}, { limit: 200, after: null });
        if (items.some(({ campaign }) => campaign.name === fields.name)) return;
        const made = await createCampaign(deps, { tenantId, actor: startActor, fields, status: 'ACTIVE' });
        if (made.kind !== 'done') throw new StartError(`The campaign ${fields.name} cannot be made: ${made.kind}`);
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

async function standIn(deps: Deps, tenantId: string, wish: StandInWish): Promise<StandInConnection> {
  const { integration, name, config, secrets = [] } = wish;
  const [known] = await deps.db.withTenant(tenantId, (tx) =>
    tx
      .select()
      .from(connections)
      .where(and(eq(connections.integration, integration), eq(connections.name, name), isNull(connections.removedAt)))
      .orderBy(asc(connections.id))
      .limit(1),
  );
  if (known === undefined) {
    const request = { integration, name, config: config(undefined), secrets };
    const made = await createConnection(deps, tenantId, request, startActor);
    if (made.kind !== 'created') throw new StartError(`The connection ${name} cannot be made: ${JSON.stringify(made)}`);
    const { id } = made.connection;
    return { id, path: `/api/webhooks/${integration}/${id}`, secret: made.secret ?? secrets[0] ?? null, config: request.config, isTheirs: false };
  }
  const stored: unknown = known.sealedConfig === null ? null : JSON.parse(deps.sealing.open(known.sealedConfig));
  const [sealed] = known.secrets;
  const secret = sealed === undefined ? null : deps.sealing.open(sealed);
  const place = { id: known.id, path: `/api/webhooks/${integration}/${known.id}`, secret };
  const wanted = config(stored);
  if (wanted === null) return { ...place, config: stored, isTheirs: true };
  const isSame = JSON.stringify(wanted) === JSON.stringify(stored);
  if (!isSame || known.state === 'disconnected') {
    const change = { state: 'connected' as const, ...(isSame ? {} : { config: wanted }) };
    const changed = await changeConnection(deps, tenantId, known.id, change, startActor);
    if (changed.kind !== 'changed') throw new StartError(`The connection ${name} cannot be brought up to date: ${JSON.stringify(changed)}`);
  }
  return { ...place, config: wanted, isTheirs: false };
}
