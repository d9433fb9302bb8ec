import type { Channel } from '../channels/index.ts';
import type { EpochMs, StepId } from '../sequence/plan.ts';

/** What happens around a rehearsed enrollment. The first `subject.updated` starts it; what comes before that has no effect. */
export type RehearsalEvent = { atMs: EpochMs } & (
  | { type: 'subject.updated' }
  /** The shopper is seen anywhere in the shop. */
  | { type: 'person.seen' }
  /** @see stopReasonOfOrder for `matched` */
  | { type: 'order.placed'; matched: boolean }
  | { type: 'subject.gone' }
  /** `channel` absent: it does not matter on which. */
  | { type: 'message.received'; channel?: Channel }
  /** The person asks to be contacted later. */
  | { type: 'snoozed'; untilMs: EpochMs }
  /** `channel` null: all of them. */
  | { type: 'contact.opted_out'; channel: Channel | null }
  | { type: 'message.opened' | 'message.clicked'; step: StepId }
  /** How the provider answers from now on: accepts, cannot be reached, refuses for now, refuses for good, gives no answer. */
  | { type: 'provider.answers'; with: ProviderAnswer }
  /** How the shop that makes the codes of offers answers from now on: makes them, cannot be reached, or says no. */
  | { type: 'shop.answers'; with: ShopAnswer }
  /** No worker runs until then: dispatches come late. */
  | { type: 'workers.down'; untilMs: EpochMs }
  | { type: 'paused' | 'resumed' }
  /** A person answers from now on, until then (null: until they are done), or is done. */
  | { type: 'taken_over'; untilMs: EpochMs | null }
  | { type: 'released' }
  /** A person approves or rejects the text that a model wrote for a step. */
  | { type: 'text.decided'; step: StepId }
  /** Another sequence sends the person something. @see SendRecord.step */
  | { type: 'other.sent'; channel: Channel; step: string }
);

export type ShopAnswer = 'accepted' | 'outage' | 'refused';
export type ProviderAnswer = 'accepted' | 'outage' | 'refused' | 'refused_for_good' | 'unknown';
