import type { Channel } from '../channels/index.ts';
import type { BaseSegment, SegmentModifier } from '../people/segments.ts';
import type { ZoneBasis } from '../people/time-zone.ts';
import type { Condition } from '../sequence/definition.ts';
import type { EpochMs, Plan, Progress, StepId, StopReason } from '../sequence/plan.ts';

/** Consent of a person for one channel: the last thing they said, or nothing (rule 14). */
export type Consent = 'granted' | 'denied' | 'unknown';

/** What is known about one way to reach the person, read under the person's lock. */
export interface ChannelFacts {
  connected: boolean;
  hasAddress: boolean;
  /** Marketing is blocked on this channel: unsubscribe, STOP, hard bounce, complaint. */
  suppressed: boolean;
  consent: Consent;
  /** The tenant demands granted consent on this channel; unknown is not enough. */
  requiresConsent: boolean;
  /** This message was refused for good on this channel (invalid address, opted out at the provider), and no other address is left there. */
  refused: boolean;
}

/** What happened to an earlier step's message. `null`: nothing can tell (rule 9: undecidable is false and says so). */
export interface MessageFacts {
  sentAtMs: EpochMs | null;
  opened: boolean | null;
  clicked: boolean | null;
}

/**
 * Everything that a decision may use, read from Postgres after the lock was obtained. Times in epoch milliseconds.
 * The clock is not among them: `nowMs` is passed beside it.
 */
export interface Facts {
  plan: Plan;
  progress: Progress;
  step: {
    id: StepId;
    when: Condition | null;
    channels: Channel[];
    /** By channel, how often its provider has refused this message so far (rule 8). Neither an outage nor a refusal for good counts. */
    refusals: Partial<Record<Channel, number>>;
    maxRetries: number;
  };
  enrollment: { ended: StopReason | 'completed' | null };
  subject: {
    state: 'open' | 'converted' | 'gone';
    /** Which orders are its purchase: those that name it, or any of its person. */
    boughtBy: 'key' | 'person';
    /** Epoch ms of the last activity on it, by the provider's clock. */
    lastActivityMs: EpochMs;
    valueMinor: number | null;
    /** ISO 4217 code of `valueMinor`; null: unknown. Sequence files state values in major units. */
    currency: string | null;
    segment: BaseSegment;
    modifiers: SegmentModifier[];
  };
  person: {
    doNotContact: boolean;
    lastOrderMs: EpochMs | null;
    lastReplyMs: EpochMs | null;
    /** The person's last activity anywhere, for the gate `active_now`; null: never seen. */
    lastSeenMs: EpochMs | null;
    /** Every IANA zone in which the person may live, the likeliest first, never empty; one that is not known counts as UTC. */
    timeZones: readonly string[];
    /** What that rests on, and the country (ISO 3166-1 alpha-2) where it rests on one. */
    zoneBasis: ZoneBasis;
    zoneCountry: string | null;
  };
  channels: Partial<Record<Channel, ChannelFacts>>;
  messages: Record<StepId, MessageFacts>;
  /**
   * The person's latest message on a channel that `disturbs`, sent or unknown, over all their enrollments, and the due time of its step;
   * `dueMs` is null for one of another enrollment: nothing here is due together with it.
   */
  lastSend: { atMs: EpochMs; dueMs: EpochMs | null } | null;
  tenant: {
    /** `null`: quiet hours are off (time scale). Minutes since midnight, local to the person. */
    quietHours: { fromMinute: number; toMinute: number } | null;
  };
}
