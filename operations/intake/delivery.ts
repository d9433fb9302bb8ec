import type { DomainEvent } from '../../domain/events.ts';
import type { FieldNote } from '../../domain/field-note.ts';
import type { AnswerBudget } from '../answer-budget.ts';
import type { LiveClaim } from '../lease-watch.ts';

/** What a tenant's configuration contributes to reading and applying events. */
export interface TenantRow {
  slug: string;
  settings: unknown;
  timeScale: number;
}

/** A delivery as the inbox knows it. */
export interface StoredDelivery {
  tenantId: string;
  connectionId: string;
  dedupeKey: string;
  topic: string;
  /** What its receiver left out or guessed. */
  notes?: FieldNote[];
  /** The tenant, where it was read with the connection; else it is read when the delivery is applied. */
  tenant?: TenantRow;
}

/** What a transaction of events has written, for the caller that answers the delivery. */
export interface Applied {
  coveredContactIds: string[];
  /** Calls that may be running and that the answer waits for; read under the locks, so that no new one can have begun. */
  liveClaims: LiveClaim[];
  /** The monotonic clock when the locks were held (`s0`). */
  lockedAtMs: number;
  outboxWritten: boolean;
}

/** `locked`: another transaction holds the locks; the same may succeed a moment later. */
export type Attempt = { kind: 'applied' | 'repeated'; applied: Applied } | { kind: 'locked' };

/** A delivery of one event that may go into a set with others. */
export interface GatheredDelivery {
  row: StoredDelivery;
  event: DomainEvent;
  /** Its identities and keys, as texts: two deliveries that share one do not go into the same set. */
  names: ReadonlySet<string>;
  budget: AnswerBudget;
}
