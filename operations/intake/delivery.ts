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

/** A delivery that may go into a set with others. Those of several events are applied by themselves. */
export interface GatheredDelivery {
  row: StoredDelivery;
  events: readonly DomainEvent[];
  /** Its identities and keys, as texts: two deliveries that share one do not go into the same set. */
  names: ReadonlySet<string>;
  /** Of the answer that somebody waits for; null: nobody does. */
  budget: AnswerBudget | null;
  /** It waits in the inbox under this id. */
  waitingId?: string;
}

/** What became of a delivery that was to be stored first; `must_apply`: it may be a stop or a repeat, and is answered when it is applied. */
export type Storing = { kind: 'stored'; id: string; storedAtMs: number } | { kind: 'must_apply' };
