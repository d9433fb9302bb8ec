import { and, eq, isNotNull } from 'drizzle-orm';
import { connections } from '../../db/schema/index.ts';
import type { Sender } from '../../integrations/port.ts';
import type { Deps } from '../deps.ts';

export interface MailConnection {
  /** null: the installation's default (`SMTP_URL`, else the local mailbox). */
  connectionId: string | null;
  sender: Sender;
}

/** How a tenant's mail leaves: its own connection, else the installation's default; null: it has no way to send mail. */
export async function mailConnectionOf(deps: Deps, tenantId: string): Promise<MailConnection | null> {
  const own = await deps.db.withTenant(tenantId, (tx) =>
    tx.select().from(connections).where(and(eq(connections.state, 'connected'), isNotNull(connections.sealedConfig))).orderBy(connections.id),
  );
  for (const connection of own) {
    if (connection.sealedConfig === null) continue;
    const sender = deps.createSender(connection.integration, deps.sealing.open(connection.sealedConfig));
    if (sender?.channel === 'email') return { connectionId: connection.id, sender };
  }
  return deps.defaultEmail === null ? null : { connectionId: null, sender: deps.defaultEmail };
}
