import type { Tx } from '../../db/client.ts';
import type { TenantSettings } from '../../domain/tenant-settings.ts';
import type { Deps } from '../deps.ts';
import type { EventSource } from './identities.ts';

/** What the effects of one delivery share while they are written: the transaction, its tenant, and what it has touched so far. */
export interface EventContext {
  tx: Tx;
  deps: Pick<Deps, 'sealing' | 'clock'>;
  source: EventSource;
  tenant: { slug: string; settings: TenantSettings; timeScale: number };
  inboxId: string | null;
  /** The persons whose rows are locked; effects may touch no others. */
  lockedPersonIds: string[];
  /** Contacts whose running calls must be over before the 2xx (stops, and merges that carry one). */
  covered: Set<string>;
  /** Whether anything was written to the outbox. */
  outboxWritten: boolean;
  nowMs: number;
}
