import { isNotNull } from 'drizzle-orm';
import type { Tx } from '../db/client.ts';
import { connections } from '../db/schema/index.ts';
import type { Channel } from '../domain/channels/index.ts';
import type { Rate } from '../domain/rate.ts';
import type { Sender, SenderContext } from '../integrations/port.ts';
import type { Deps } from './deps.ts';
import { popupStoreOf } from './onsite/popup-store.ts';
import { taskSenderOf } from './work/task-sender.ts';
import { accessTokensOf } from './tokens.ts';
import { webhookUrlOf } from './webhook-url.ts';

/** One account through which a tenant's messages leave. */
export interface Outlet {
  /** null: the installation's own, for tenants without a connection of that channel. */
  connectionId: string | null;
  /** As the store has set it; null: what its provider allows the account (`Sender.rate`), or as many as there are. */
  rate: Rate | null;
  sender: Sender;
}

/** Every account through which a tenant's messages leave or have left. */
export interface Outlets {
  /** How new messages of a channel leave: the tenant's own connection, else the installation's default; null: there is none. */
  forChannel(channel: Channel): Outlet | null;
  /**
   * The outlet that a pinned call went through, also when another is current now; null: it is gone, and no other account may repeat the call or
   * answer for it. One provider account may serve several channels, so the channel is part of the question.
   */
  ofAccount(account: string | null, channel: string | null): Outlet | null;
  /** How an answer to what came in by a connection leaves; null: it is no way of this channel. */
  ofConnection(connectionId: string, channel: Channel): Outlet | null;
  /** The longest dead lease that a claim through any of them can have; null: there is no outlet. */
  longestDeadLeaseMs: number | null;
}

/** Read them in a transaction of their own, before any lock is held. */
export function outletsOf(deps: Deps, tenantId: string): Promise<Outlets> {
  return deps.db.withTenant(tenantId, readConfigured).then((rows) => toOutlets(deps, rows, tenantId));
}

/** The tenant's connections that have a configuration of their own. */
export function readConfigured(tx: Tx): Promise<ConnectionRow[]> {
  return tx.select().from(connections).where(isNotNull(connections.sealedConfig)).orderBy(connections.id);
}

type ConnectionRow = typeof connections.$inferSelect;

/** What the sender of a connection knows beside its configuration. */
export function senderContextOf(
  deps: Pick<Deps, 'db' | 'publicUrl' | 'sealing' | 'clock' | 'integrations'>,
  { tenantId, integration, id, sealedConfig }: ConnectionRow,
): SenderContext {
  const context: SenderContext = { webhookUrl: webhookUrlOf(deps, integration, id), popups: popupStoreOf(deps, tenantId) };
  if (deps.integrations[integration]?.oauth === undefined || sealedConfig === null) return context;
  const config: unknown = JSON.parse(deps.sealing.open(sealedConfig));
  return { ...context, tokens: accessTokensOf(deps, { tenantId, connectionId: id, integration, config }) };
}

/**
 * @param tenantId - whose list tasks are put into; null: into none, where nothing is sent
 * @throws when a configuration cannot be unsealed
 */
export function toOutlets(
  deps: Pick<Deps, 'db' | 'log' | 'sealing' | 'clock' | 'integrations' | 'createSenders' | 'defaultSenders' | 'publicUrl'>,
  rows: readonly ConnectionRow[],
  tenantId: string | null = null,
): Outlets {
  const all: (Outlet & { connected: boolean })[] = [];
  for (const row of rows) {
    if (row.sealedConfig === null) continue;
    for (const sender of deps.createSenders(row.integration, deps.sealing.open(row.sealedConfig), senderContextOf(deps, row)))
      all.push({ connectionId: row.id, rate: row.rate, sender, connected: row.state === 'connected' });
  }
  for (const sender of [...deps.defaultSenders, taskSenderOf(deps, tenantId)]) all.push({ connectionId: null, rate: null, sender, connected: true });
  return {
    forChannel: (channel) => all.find((o) => o.connected && o.sender.channel === channel) ?? null,
    ofAccount: (account, channel) =>
      account === null ? null : (all.find((o) => o.sender.account === account && o.sender.channel === channel) ?? null),
    ofConnection: (connectionId, channel) => all.find((o) => o.connected && o.connectionId === connectionId && o.sender.channel === channel) ?? null,
    longestDeadLeaseMs: all.length === 0 ? null : Math.max(...all.map((o) => o.sender.times.deadLeaseMs)),
  };
}
