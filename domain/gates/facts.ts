import type { ClaimName } from '../claims/index.ts';
import type { ClaimWorld } from '../claims/claim.ts';
import type { Channel, WhatsappForm } from '../channels/index.ts';
import type { Consent } from '../people/consent.ts';
import type { Lifecycle } from '../people/lifecycle.ts';
import type { Engagement } from '../people/purchases.ts';
import type { BaseSegment, SegmentModifier } from '../people/segments.ts';
import type { PersonZones } from '../people/time-zone.ts';
import type { OfferRecords } from '../offers/decide-offer.ts';
import type { Condition, OnFailure, StepOffer } from '../sequence/definition.ts';
import type { EpochMs, Plan, Progress, StepId, StopReason } from '../sequence/plan.ts';
import type { AttributeValue } from '../subjects/attributes.ts';
import type { TenantSettings } from '../tenant-settings.ts';
import type { WeeklyWindow } from '../time/weekly-window.ts';

/** What is known about one way to reach the person, read under the person's lock. */
export interface ChannelFacts {
  connected: boolean;
  hasAddress: boolean;
  /** Marketing is blocked on this channel: unsubscribe, STOP, hard bounce, complaint. */
  suppressed: boolean;
  /** By what: the reasons of the suppressions in force. */
  suppressedBy?: readonly string[];
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

/** One contact of the person: a merge makes one person of several. */
export interface ContactRecord {
  lifecycle: Lifecycle;
  lastOrderMs: EpochMs | null;
  lastReplyMs: EpochMs | null;
  /** When they last wrote by WhatsApp; absent or null: never. */
  lastWhatsappMs?: EpochMs | null;
  /** A person answers: until when (null: until it is released). Absent or null: nobody does. */
  takenOver?: { untilMs: EpochMs | null } | null;
  /** The last sign of life anywhere, such as a visit to the shop. */
  lastSeenMs: EpochMs | null;
}

/** A message that went to the person, may have, or is on its way. */
export interface SendRecord {
  /** null, or a name that is no channel any more: it is not known. */
  channel: string | null;
  atMs: EpochMs;
  /** Sequence and step, such as `cart/email_2h`. */
  step: string;
  /** When its step was due; null for a message of another enrollment: nothing here is due together with it. */
  dueMs: EpochMs | null;
}

/** The next step of another running enrollment of the person. */
export interface UpcomingRecord {
  enrollmentId: string;
  stepId: StepId;
  /** Sequence and step, such as `cart/email_2h`. */
  step: string;
  /** The channel that it would go out on, as far as is known here. */
  channel: string | null;
  /** By its sequence; `readyMs`: or the later time to which it was put off. */
  dueMs: EpochMs;
  readyMs: EpochMs;
  /** Until when it may be sent. */
  expiryMs: EpochMs;
  /** 1 (first) to 5. */
  priority: number;
}

/** What is on record about a person. A gate draws its own facts from it, so that dispatch and rehearsal read them by the same code. */
export interface PersonRecords {
  /** Never empty. */
  contacts: readonly ContactRecord[];
  /** Over all enrollments, newest first, without the message that is being decided. */
  sends: readonly SendRecord[];
  /** What may want to go out next in other enrollments. Those that are held are not among them. */
  upcoming: readonly UpcomingRecord[];
  zones: PersonZones;
  /** The hour at which they have opened most emails, on their likeliest clock; absent or null: not known, or not asked for. */
  bestHour?: number | null;
  /**
   * Where the store goes by what was learned; absent: it does not, or was not asked for. `learned`: the preferred hour of each day (0: Monday) on each channel.
   * `random`: of those who keep hours drawn at random, where in [0, 1) this message's lies; null: they do not.
   */
  hours?: { learned: readonly { channel: string; day: number; hour: number }[]; random: number | null };
}

/** What a step claims, and what is known about it. */
export interface StepClaims {
  /** By its texts, on any channel. */
  made: readonly ClaimName[];
  /** Without which the step is left out; null: none. */
  required: ClaimName | null;
  /** `assumed`: a scenario says which claims hold. */
  known: Omit<ClaimWorld, 'thresholds'> | { assumed: readonly ClaimName[] };
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
    /** The hours at which it goes out, on the person's clock; null: at any. */
    window: WeeklyWindow | null;
    /** It waits for the hour at which the person reads emails; absent: it does not. */
    bestHour?: boolean;
    /** How long after its due time its variant goes out, in milliseconds of the plan's time; absent: when it is due. */
    laterMs?: number;
    /** It asks for an offer; absent: it does not. */
    offer?: StepOffer;
    /** The forms that its text for WhatsApp has; absent: both, as far as is known. */
    whatsappForms?: readonly WhatsappForm[];
    /**
     * For the channel that was tried last, how often its provider has refused this message so far (rule 8). Neither an outage nor a
     * refusal for good counts.
     */
    refusals: Partial<Record<Channel, number>>;
    maxRetries: number;
    onFailure: OnFailure;
    /** How often sending it has failed so far, for whatever reason. */
    failures: number;
  };
  enrollment: { id: string; ended: StopReason | 'completed' | null };
  /**
   * What was decided about the whole sequence; absent: nothing. `exit`: why everybody who runs on this version leaves it; `only`: who is taken, where not
   * everybody is.
   */
  sequence?: { paused: boolean; exit: StopReason | null; only?: Condition };
  /** What is on record about the customer; absent: a rehearsal says only in which segment they are. */
  customer?: {
    /** Minor units of the store's currency; null: not known. */
    lifetimeValueMinor: number | null;
    engagement: readonly Engagement[];
    /** Of the settings that the thresholds are from. */
    settingsVersion: number;
  };
  /** The campaign that the enrollment began in; absent: none. */
  campaign?: { paused: boolean; schedule: WeeklyWindow | null };
  subject: {
    state: 'open' | 'converted' | 'gone';
    /** Which orders are its purchase: those that name it, or any of its person. */
    boughtBy: 'key' | 'person';
    /** Its person asked about something, as with a lead. */
    isInquiry?: boolean;
    /** Epoch ms of the last activity on it, by the provider's clock. */
    lastActivityMs: EpochMs;
    /** Of the last message in either direction, ours excepted; absent: its person does not talk with the store. */
    lastContactMs?: EpochMs;
    valueMinor: number | null;
    /** ISO 4217 code of `valueMinor`; null: unknown. Sequence files state values in major units. */
    currency: string | null;
    segment: BaseSegment;
    modifiers: SegmentModifier[];
    /** For each thing in it, how many are left to buy; null: not known. */
    stock: readonly (number | null)[];
  };
  /** What conditions may ask of the subject and its person, by name (`lead.source`, `contact.country`). */
  attributes: Readonly<Record<string, AttributeValue>>;
  person: PersonRecords;
  /** What a step that asks for an offer is decided by; absent: it asks for none, or this is no dispatch. */
  offer?: OfferRecords;
  /** What a model wrote for the step and could go out, but for a person's decision; absent: nothing waits for one. */
  modelText?: { approval: 'pending' };
  /** The person's assignment; null: the sequence holds nobody out, or the assignment is behind it. */
  holdout: { percent: number; heldOut: boolean } | null;
  /** The course of the sequence that the person takes; absent: it compares none. */
  arm?: string;
  channels: Partial<Record<Channel, ChannelFacts>>;
  messages: Record<StepId, MessageFacts>;
  /** Absent: the step claims nothing. */
  claims?: StepClaims;
  settings: TenantSettings;
}
