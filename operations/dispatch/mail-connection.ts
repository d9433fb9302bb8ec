import { isNotNull } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { connections } from '../../db/schema/index.ts';
import type { Sender } from '../../integrations/port.ts';
import type { Deps } from '../deps.ts';

export interface MailConnection {
  /** null: the installation's default (`SMTP_URL`, else the local mailbox). */
  connectionId: string | null;
  sender: Sender;
}

/** A tenant's ways to send mail. */
export interface MailConnections {
  /** How new mail leaves: the tenant's own connection, else the installation's default; null: there is no way. */
  current: MailConnection | null;
  /** The connection that a pinned call went through, also when another is current now; null: it is gone, and nobody else may answer for it. */
  ofAccount(account: string | null): MailConnection | null;
}

/** Read them in a transaction of their own, before any lock is held. */
export function mailConnectionsOf(deps: Deps, tenantId: string): Promise<MailConnections> {
  return deps.db.withTenant(tenantId, readConfigured).then((rows) => toMailConnections(deps, rows));
}

/** The tenant's connections that have a configuration of their own. */
export function readConfigured(tx: Tx): Promise<ConnectionRow[]> {
  return tx.select().from(connections).where(isNotNull(connections.sealedConfig)).orderBy(connections.id);
}

type ConnectionRow = typeof connections.$inferSelect;

/** @throws when a configuration cannot be unsealed */
export function toMailConnections(deps: Pick<Deps, 'sealing' | 'createSender' | 'defaultEmail'>, rows: readonly ConnectionRow[]): MailConnections {
  const all: (MailConnection & { connected: boolean })[] = [];
  for (const row of rows) {
    if (row.sealedConfig === null) continue;
    const sender = deps.createSender(row.integration, deps.sealing.open(row.sealedConfig));
    if (sender?.channel === 'email') all.push({ connectionId: row.id, sender, connected: row.state === 'connected' });
  }
  if (deps.defaultEmail !== null) all.push({ connectionId: null, sender: deps.defaultEmail, connected: true });
  return {
    current: all.find((c) => c.connected) ?? null,
    ofAccount: (account) => (account === null ? null : (all.find((c) => c.sender.account === account) ?? null)),
  };
}
