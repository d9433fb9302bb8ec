import type { Channel } from '../channels/index.ts';
import type { ReplyPolicy } from '../people/on-reply.ts';

/** Milliseconds since the epoch, UTC. */
export type EpochMs = number;
export type StepId = string;

/**
 * Why an enrollment was stopped; each reason has one meaning, however it came about (`operations/read/words.ts` has the sentences). Reaches the API
 * and the dashboard: renaming one is a breaking change.
 */
export const stopReasons = [
  'purchased',
  'purchased_elsewhere',
  'superseded',
  'not_abandoned',
  'order_void',
  'replied',
  'contacted',
  'opted_out',
  'rejected',
  'holdout',
  'undeliverable',
  'expired',
  'filtered',
  'emptied',
  'cart_deleted',
  'manual',
  'cancelled',
  'terminated',
  'erased',
  'merged',
  'demo_restarted',
  'version_replaced',
  'sequence_ended',
  'campaign_ended',
  'recovered',
  'band_raised',
] as const;
export type StopReason = (typeof stopReasons)[number];
export type FinishReason = 'completed' | StopReason;

/** What may end a sequence by `stopOn`. `purchased` and `opted_out` always do; a sequence may choose to run on after a reply or a colleague's call. */
export const stopTriggers = ['purchased', 'replied', 'opted_out', 'contacted'] as const;
export type StopTrigger = (typeof stopTriggers)[number];

/** `skip` a step whose turn would come after its expiry, or let it `wait`, for as long as the sequence may send anything. */
export const whenCapped = ['skip', 'wait'] as const;
export type WhenCapped = (typeof whenCapped)[number];

export type EnrollmentStatus = 'ACTIVE' | 'PAUSED' | 'COMPLETED' | 'CONVERTED' | 'EXITED';

/** Why a step was settled without a message. */
export const skipReasons = [
  'too_old',
  'capped',
  'rate',
  'condition',
  'claim',
  'no_address',
  'no_consent',
  'no_offer',
  'outside_window',
  'consent_required',
  'consent_expired',
  'suppressed',
  'not_connected',
  'refused',
  'silent',
  'skipped_by_hand',
  'passed',
  'stopped',
] as const;
export type SkipReason = (typeof skipReasons)[number];

/**
 * Why a step is put off to a later time: the name of the gate that is closed the longest, or what the gates of its kind say. `send_failed`: an attempt
 * failed, and the next one comes after a back-off. `approval`: a person has yet to approve a model's text. `offer_code`: the shop could not be reached to
 * make the code of its offer.
 */
export const deferReasons = [
  'due',
  'activity',
  'active_now',
  'quiet_hours',
  'legal_hours',
  'blackout',
  'send_window',
  'campaign_schedule',
  'best_hour',
  'variant_time',
  'approval',
  'gap',
  'cap',
  'turn',
  'rate',
  'offer_code',
  'send_failed',
] as const;
export type DeferReason = (typeof deferReasons)[number];

/** Why nothing of an enrollment is sent until somebody resumes it. */
export const holdReasons = ['paused', 'takeover', 'sequence_paused', 'campaign_paused'] as const;
export type HoldReason = (typeof holdReasons)[number];

/** How a settled step ended. `unknown`: a provider may have accepted it; it counts as sent and is never sent again. */
export type StepOutcome = 'sent' | 'unknown' | 'skipped';

/**
 * One step as the workflow sees it: no copy, no conditions, no personal data. All spans are wall-clock milliseconds, already
 * divided by the tenant's time scale when the plan was compiled.
 */
export interface PlanStep {
  id: StepId;
  /** Counted from the enrollment's anchor, from the previous step (its send if it was sent, else its due time), or from what a reaction waits for. */
  due: { from: 'anchor' | 'previous' | 'event'; delayMs: number };
  channels: Channel[];
  /** Overrides the expiry of rule 5: how long after its due time the step may still be sent. */
  expiresAfterMs: number | null;
  /** What it reacts to; absent: it is one of the steps that run in order. */
  on?: Reaction;
  /** How long before it is ready a model is asked to write it; absent: a template says what it says. */
  composeAheadMs?: number;
}

/** What a step reacts to. An open or a click of an earlier step's message counts for so long after it went out; the first one counts. */
export type Reaction = { event: 'opened' | 'clicked'; step: StepId; withinMs: number } | { event: 'asked_later' };

/** A sequence version compiled for one enrollment. The workflow's input; immutable while it runs. */
export interface Plan {
  sequence: string;
  version: number;
  /** 1, or how many times faster than wall time this enrollment runs (demo and `REKINDLE_TIME_SCALE`). */
  timeScale: number;
  quietForMs: number;
  maxAgeMs: number;
  stopOn: StopTrigger[];
  /** It is about a silence: every message in either direction moves its anchor, or ends it once it has begun to count. Absent: it is not. */
  silence?: true;
  /** As the definition has it. */
  onReply?: ReplyPolicy;
  /** 1 (first) to 5. */
  priority: number;
  /** What becomes of a step that a cap keeps from going out before it expires. */
  whenCapped: WhenCapped;
  /** Those that run in order, then the reactions. */
  steps: PlanStep[];
}

/** The person, or somebody of the store, asked for later: what was left of the sequence at that time moves, so that its next step is due at `untilMs` at the earliest. */
export interface Snooze {
  atMs: EpochMs;
  untilMs: EpochMs;
  /** Somebody of the store moved it, not the person. Absent: the person asked. */
  by?: 'hand';
}

/** Where an enrollment stands. Postgres holds the truth; the workflow's copy is a cache. */
export interface Progress {
  anchorMs: EpochMs;
  activatedAtMs: EpochMs | null;
  /** `tooOld`: left out because its time had passed. Absent: it was not; older workflows have no such field. */
  settled: Record<StepId, { outcome: StepOutcome; atMs: EpochMs; tooOld?: true }>;
  notBeforeMs: Record<StepId, EpochMs>;
  held: HoldReason | null;
  stopped: StopReason | null;
  /** In order of time. Absent: none; workflows that began before they existed have no such field. */
  snoozes?: readonly Snooze[];
  /** When somebody asked by hand for a step to be due at once. Absent: nobody has. */
  dueNow?: Readonly<Record<StepId, EpochMs>>;
  /** When messages were first opened and clicked. Absent: none was. */
  opened?: Readonly<Record<StepId, EpochMs>>;
  clicked?: Readonly<Record<StepId, EpochMs>>;
}
