import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../db/client.ts';
import { auditLog } from '../db/schema/index.ts';
import type { Deps } from './deps.ts';

export interface AuditEntry {
  tenantId: string;
  /** Who: `api_key:<id>`, `installation_key`, or the name of a tool. */
  actor: string;
  /** `<thing>.<verb>` */
  action: string;
  /** The id of what it was done to; null: the tenant itself. */
  subject: string | null;
  data?: Record<string, unknown>;
}

/** The same where nothing else is written with it. */
export function recordAuditOf(deps: Pick<Deps, 'db'>, entry: AuditEntry): Promise<void> {
  return deps.db.withTenant(entry.tenantId, (tx) => recordAudit(tx, entry));
}

/** Note who did what by hand, in the transaction that does it. */
export async function recordAudit(tx: Tx, { data = {}, ...entry }: AuditEntry): Promise<void> {
  await tx.insert(auditLog).values({ ...entry, id: uuidv7(), data });
}
