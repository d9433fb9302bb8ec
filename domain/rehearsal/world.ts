import { channelNames } from '../channels/index.ts';
import type { Channel, WhatsappForm } from '../channels/index.ts';
import type { ChannelFacts, ContactRecord, Facts, SendRecord, StepClaims, UpcomingRecord } from '../gates/facts.ts';
import { decideOffer, type OfferRecords, shopPauseMs, waitsForCodeUntil } from '../offers/decide-offer.ts';
import { afterReply } from '../people/on-reply.ts';
import type { BaseSegment, SegmentModifier } from '../people/segments.ts';
import type { LegalPlace } from '../law/legal-hours.ts';
import type { PersonZones } from '../people/time-zone.ts';
import type { SequenceDefinition, StepDefinition, StepVariant } from '../sequence/definition.ts';
import { dueAt } from '../sequence/due.ts';
import { stopReasonOfOrder } from '../sequence/ending.ts';
import type { EpochMs, Plan, Progress, SkipReason, StepId, StopReason } from '../sequence/plan.ts';
import { type EnrollmentRecord, type LedgerRecord, newEnrollment, progressOf } from '../sequence/progress.ts';
import { scaled } from '../sequence/time-scale.ts';
import type { WeeklyWindow } from '../time/weekly-window.ts';
import type { AttributeValue } from '../subjects/attributes.ts';
import { type TenantSettings, tenantSettings } from '../tenant-settings.ts';
import type { ProviderAnswer, RehearsalEvent, ShopAnswer } from './events.ts';
import type { CampaignPace, Turns } from './turn.ts';

/** The person, the subject and the tenant of a rehearsal. */
export interface Setting {
  /** Where the person may live, the likeliest first. */
  timeZones: readonly string[];
  /** Whose law applies. */
  place: LegalPlace;
  settings: TenantSettings;
  timeScale: number;
  segment: BaseSegment;
  modifiers: SegmentModifier[];
  valueMinor: number | null;
  currency: string | null;
  stock: readonly (number | null)[];
  /** What claims rest on; absent: which of them hold is not known, and none does. */
  claims?: StepClaims['known'];
  /** What is known of the subject and its person; what is missing here is not. */
  attributes: Readonly<Record<string, AttributeValue>>;
  channels: Partial<Record<Channel, ChannelFacts>>;
  /** Whether opens and clicks become known at all (rule 9). */
  tracksOpens: boolean;
  /** The person is among those who get nothing, where the sequence holds people out. */
  heldOut: boolean;
  /** The hour at which they open most emails; null: not known. */
  bestHour: number | null;
  /** Where the store goes by the hours that were learned; absent: it does not. */
  hours?: NonNullable<Facts['person']['hours']>;
  elsewhere: Elsewhere;
  /** When the person last bought before; absent: never. */
  lastOrderMs?: EpochMs;
  /** When the person last wrote by WhatsApp before; absent: never. */
  lastWhatsappMs?: EpochMs;
  /** The forms that texts for WhatsApp have; absent: both. */
  whatsappForms?: readonly WhatsappForm[];
  /** By step, the variant that the person gets; absent: the first. */
  variants?: Readonly<Record<StepId, string>>;
  /** The course of the sequence that the person takes, where it compares several; absent: the first. */
  arm?: string;
  /** What is on record about a real person; absent: nothing, but for `lastOrderMs`. */
  contact?: ContactRecord;
  /** When its campaign contacts leads; absent: it is in none, or in one without a schedule. */
  campaignSchedule?: WeeklyWindow;
  /** How fast its campaign's messages leave; absent: it has no rate. */
  campaignPace?: CampaignPace;
  /** The subject is something that its person asked about. */
  isInquiry?: boolean;
  /** What offers are decided by, beside the store's terms in `settings`; absent: not known, and none is rehearsed. */
  offers?: Omit<OfferRecords, 'policy' | 'own'>;
}

/** What other sequences have sent to the person, newest first, and what they want to send next. */
export interface Elsewhere {
  sends: readonly SendRecord[];
  upcoming: readonly UpcomingRecord[];
}

const usable: ChannelFacts = { connected: true, hasAddress: true, suppressed: false, consent: 'unknown', requiresConsent: false, refused: false };

/** What a tenant configures, day and night. */
export const plainSettings: TenantSettings = { ...tenantSettings.parse({}), quietHours: null };

/** A shop in UTC that sends emails day and night, to a first customer. */
export const plainSetting: Setting = {
  timeZones: ['UTC'],
  place: { country: null, region: null },
  settings: plainSettings,
  timeScale: 1,
  segment: 'FIRST_TIME',
  modifiers: [],
  valueMinor: 12_990,
  currency: 'EUR',
  stock: [],
  attributes: {},
  channels: { email: usable },
  tracksOpens: true,
  heldOut: false,
  bestHour: null,
  elsewhere: { sends: [], upcoming: [] },
};

/** A message in the rehearsal's send ledger. */
interface Message extends LedgerRecord {
  channel: Channel | null;
  /** By that channel. */
  refusals: number;
}

/** Everything that a rehearsal changes as it goes: the stand-in for Postgres. */
export interface World {
  /** Replaced when it changes, as the ledger is: what was derived from them is then derived anew. */
  enrollment: Readonly<EnrollmentRecord>;
  /** In the order of their first decision. */
  ledger: readonly Message[];
  /** The latest progress, and what it was derived from. */
  derived: { from: Readonly<EnrollmentRecord>; and: readonly Message[]; progress: Progress } | null;
  lastActivityMs: EpochMs;
  contact: ContactRecord;
  subjectState: Facts['subject']['state'];
  zones: PersonZones;
  channels: Partial<Record<Channel, ChannelFacts>>;
  messages: Facts['messages'];
  /** Newest first. */
  sends: SendRecord[];
  elsewhere: Elsewhere;
  provider: ProviderAnswer;
  shop: ShopAnswer;
  workersDownUntilMs: EpochMs;
  /** null: everybody is taken. */
  sequence: NonNullable<Facts['sequence']> | null;
  holdout: Facts['holdout'];
  /** null: the sequence compares no courses. */
  arm: string | null;
  /** Offers that the rehearsed steps have brought, by step. */
  grants: ReadonlyMap<StepId, Grant>;
  /** Steps about whose texts a person has decided. */
  decidedTexts: ReadonlySet<StepId>;
  /** Under the rate of the campaign. */
  turns: Turns;
}

interface Grant {
  atMs: EpochMs;
  percentOff: number;
  endsAtMs: EpochMs;
  /** Of its code; one of a pool is there from the beginning. */
  state: 'granted' | 'minted' | 'refused';
  /** Calls of the shop without a clear answer, and when it is asked again. */
  failures: number;
  againMs: EpochMs;
}

// Replaced when they change.
const noGrants: World['grants'] = new Map();
const noTexts: World['decidedTexts'] = new Set();

/** The world at the moment when the subject was last active. */
export function newWorld(
  anchorMs: EpochMs,
  setting: Setting,
  { holdoutPercent, only, arms }: Pick<SequenceDefinition, 'holdoutPercent' | 'only' | 'arms'>,
): World {
  return {
    enrollment: newEnrollment(anchorMs, setting.timeScale),
    ledger: [],
    derived: null,
    lastActivityMs: anchorMs,
    contact: setting.contact ?? {
      lifecycle: 'IN_PROGRESS',
      lastOrderMs: setting.lastOrderMs ?? null,
      lastReplyMs: null,
      lastWhatsappMs: setting.lastWhatsappMs ?? null,
      lastSeenMs: null,
    },
    subjectState: 'open',
    zones: zonesOf(setting),
    channels: { ...setting.channels },
    messages: {},
    sends: [],
    elsewhere: setting.elsewhere,
    provider: 'accepted',
    shop: 'accepted',
    workersDownUntilMs: anchorMs,
    sequence: only === undefined ? null : { paused: false, exit: null, only },
    holdout: holdoutPercent === 0 ? null : { percent: holdoutPercent, heldOut: setting.heldOut },
    arm: arms === undefined ? null : ((arms.find(({ id }) => id === setting.arm) ?? arms[0])?.id ?? null),
    grants: noGrants,
    decidedTexts: noTexts,
    turns: { freeAtMs: anchorMs, reserved: new Map() },
  };
}

// The same object for every person of a setting: what gates find out about it, they remember by it.
const zonesBySetting = new WeakMap<readonly string[], PersonZones>();

function zonesOf({ timeZones, place }: Setting): PersonZones {
  const known = zonesBySetting.get(timeZones);
  if (known?.place === place) return known;
  const zones: PersonZones = { timeZones, basis: 'stated', country: null, place };
  zonesBySetting.set(timeZones, zones);
  return zones;
}

/** Let an event happen, as `operations/effects/` would write it. */
export function apply(world: World, event: RehearsalEvent, plan: Plan, settings: TenantSettings): void {
  switch (event.type) {
    case 'subject.updated':
      world.lastActivityMs = Math.max(world.lastActivityMs, event.atMs);
      return;
    case 'person.seen':
      advance(world, 'lastSeenMs', event.atMs);
      return;
    case 'order.placed':
      if (event.matched) world.subjectState = 'converted';
      advance(world, 'lastOrderMs', event.atMs);
      end(world, stopReasonOfOrder({ activated: world.enrollment.activatedAt !== null, matched: event.matched }));
      return;
    case 'subject.gone':
      world.subjectState = 'gone';
      end(world, 'cart_deleted');
      return;
    case 'message.received':
      advance(world, 'lastReplyMs', event.atMs);
      if (event.channel === 'whatsapp') advance(world, 'lastWhatsappMs', event.atMs);
      followReply(world, event.atMs, plan, settings);
      return;
    case 'snoozed': {
      const { snoozes = [] } = world.enrollment;
      world.enrollment = { ...world.enrollment, snoozes: [...snoozes, { atMs: event.atMs, untilMs: event.untilMs }] };
      return;
    }
    case 'contact.opted_out': {
      // Rule 13: on one channel it closes all of them, unless the store keeps them apart.
      const closed = event.channel === null || settings.optOutAllChannels ? channelNames : [event.channel];
      for (const channel of closed) change(world, channel, { suppressed: true });
      if (closed === channelNames) end(world, 'opted_out');
      return;
    }
    case 'message.opened':
    case 'message.clicked': {
      const message = world.messages[event.step];
      if (message === undefined || message.opened === null) return;
      // A click is an open, even where the picture that reports opens was blocked.
      const clicked = message.clicked === true || event.type === 'message.clicked';
      // The first time counts.
      if (message.opened && message.clicked === clicked) return;
      world.messages[event.step] = { ...message, opened: true, clicked };
      const row = rowOf(world, event.step);
      if (row !== undefined) {
        const clickedAt = row.clickedAt ?? (event.type === 'message.clicked' ? event.atMs : null);
        write(world, row, { ...row, openedAt: row.openedAt ?? event.atMs, clickedAt });
      }
      return;
    }
    case 'provider.answers':
      world.provider = event.with;
      return;
    case 'shop.answers':
      world.shop = event.with;
      return;
    case 'workers.down':
      world.workersDownUntilMs = Math.max(world.workersDownUntilMs, event.untilMs);
      return;
    case 'paused':
      world.enrollment = { ...world.enrollment, held: 'paused' };
      return;
    case 'resumed':
      world.enrollment = { ...world.enrollment, held: null };
      return;
    case 'taken_over':
      world.contact = { ...world.contact, takenOver: { untilMs: event.untilMs } };
      return;
    case 'released':
      world.contact = { ...world.contact, takenOver: null };
      // It is asked about at once.
      world.enrollment = { ...world.enrollment, notBefore: {} };
      return;
    case 'text.decided': {
      world.decidedTexts = new Set([...world.decidedTexts, event.step]);
      const { [event.step]: _, ...notBefore } = world.enrollment.notBefore;
      world.enrollment = { ...world.enrollment, notBefore };
      return;
    }
    case 'other.sent': {
      const { channel, step, atMs } = event;
      world.elsewhere = { ...world.elsewhere, sends: [{ channel, step, atMs, dueMs: null }, ...world.elsewhere.sends] };
    }
  }
}

const hourMs = 3_600_000;

/** What a reply leads to. Source: docs/rules.md#rule-21 */
function followReply(world: World, atMs: EpochMs, plan: Plan, settings: TenantSettings): void {
  const policy = afterReply(plan, settings);
  // Before a silence has begun to count, a reply moves its anchor; then it ends it.
  const ends = plan.silence === true ? world.enrollment.activatedAt !== null : policy === 'stop';
  if (ends) end(world, 'replied');
  if (policy !== 'takeover') return;
  const { takeoverHours } = settings;
  const untilMs = takeoverHours === null ? null : atMs + scaled(takeoverHours * hourMs, plan.timeScale);
  world.contact = { ...world.contact, takenOver: { untilMs } };
}

/** Where the enrollment stands, by the product's own reading of its records. */
export function progressIn(world: World): Progress {
  const { derived, enrollment, ledger } = world;
  if (derived !== null && derived.from === enrollment && derived.and === ledger) return derived.progress;
  const progress = progressOf(enrollment, ledger);
  world.derived = { from: enrollment, and: ledger, progress };
  return progress;
}

/** The first end stays. */
export function end(world: World, reason: StopReason): void {
  if (world.enrollment.stopped === null) world.enrollment = { ...world.enrollment, stopped: reason };
}

/** The provider took the message, or may have. */
export function recordSend(
  world: World,
  plan: Plan,
  stepId: StepId,
  state: 'sent' | 'unknown',
  channel: Channel,
  nowMs: EpochMs,
  setting: Setting,
): void {
  const reported = setting.tracksOpens ? false : null;
  world.sends.unshift({ channel, step: `${plan.sequence}/${stepId}`, atMs: nowMs, dueMs: dueAt(plan, progressIn(world), stepId) });
  world.messages[stepId] = { sentAtMs: nowMs, opened: reported, clicked: reported };
  const before = rowOf(world, stepId);
  write(world, before, newRow(stepId, state, { before, channel, claimedAt: nowMs, nowMs }));
  forgetRefusals(world);
}

export function recordSkip(world: World, stepId: StepId, reason: SkipReason, nowMs: EpochMs): void {
  const before = rowOf(world, stepId);
  const row = newRow(stepId, 'skipped', { before, channel: before?.channel ?? null, claimedAt: before?.claimedAt ?? null, nowMs });
  row.skipReason = reason;
  write(world, before, row);
  forgetRefusals(world);
}

/** The provider refused the message for now (`refused`), for good, or could not be reached (`outage`). */
export function recordFailure(
  world: World,
  stepId: StepId,
  channel: Channel,
  failure: 'refused' | 'refused_for_good' | 'outage',
  nowMs: EpochMs,
): void {
  const before = rowOf(world, stepId);
  const row = newRow(stepId, 'failed', { before, channel, claimedAt: before?.claimedAt ?? null, nowMs });
  row.failures += 1;
  // The row is about the latest channel: another provider has refused nothing yet.
  if (before?.channel !== channel) row.refusals = 0;
  if (failure === 'refused') row.refusals += 1;
  row.refusedForGood = failure === 'refused_for_good';
  write(world, before, row);
  // The address is blocked, and this message has the next channel of its list.
  if (row.refusedForGood) change(world, channel, { suppressed: true, refused: true });
}

function rowOf(world: World, stepId: StepId): Message | undefined {
  return world.ledger.find((message) => message.stepId === stepId);
}

/** A row with what its step's earlier row counted. Written out, not spread: this is the hot path of rehearsals. */
function newRow(
  stepId: StepId,
  state: Message['state'],
  { before, channel, claimedAt, nowMs }: { before: Message | undefined; channel: Channel | null; claimedAt: EpochMs | null; nowMs: EpochMs },
): Message {
  return {
    stepId,
    state,
    failures: before?.failures ?? 0,
    refusals: before?.refusals ?? 0,
    refusedForGood: false,
    channel,
    claimedAt,
    settledAt: nowMs,
    createdAt: before?.createdAt ?? nowMs,
    openedAt: before?.openedAt ?? null,
    clickedAt: before?.clickedAt ?? null,
  };
}

function write(world: World, before: Message | undefined, row: Message): void {
  world.ledger = before === undefined ? [...world.ledger, row] : world.ledger.map((message) => (message === before ? row : message));
}

/** The next message starts without refusals; the suppression stays. */
function forgetRefusals(world: World): void {
  for (const channel of channelNames) if (world.channels[channel]?.refused === true) change(world, channel, { refused: false });
}

/** The variant that a rehearsed person gets of a step. */
export const variantOf = ({ id, variants }: StepDefinition, { variants: given }: Setting): StepVariant | undefined =>
  variants === undefined ? undefined : (variants.find((variant) => variant.id === given?.[id]) ?? variants[0]);

/** The facts as `operations/dispatch-step.ts` would read them under the person's lock. What is absent is set afterwards, not spread: this is the hot path. */
export function factsOf(world: World, plan: Plan, step: StepDefinition, setting: Setting): Facts {
  const row = rowOf(world, step.id);
  const facts: Facts = {
    plan,
    progress: progressIn(world),
    step: {
      id: step.id,
      when: step.when,
      channels: step.channels,
      refusals: row === undefined || row.channel === null ? {} : { [row.channel]: row.refusals },
      maxRetries: step.maxRetries,
      onFailure: step.onFailure ?? 'skip',
      window: step.window ?? null,
      failures: row?.failures ?? 0,
    },
    enrollment: { id: rehearsedId, ended: null },
    subject: {
      state: world.subjectState,
      boughtBy: 'key',
      isInquiry: setting.isInquiry === true,
      lastActivityMs: world.lastActivityMs,
      valueMinor: setting.valueMinor,
      currency: setting.currency,
      segment: setting.segment,
      modifiers: setting.modifiers,
      stock: setting.stock,
    },
    attributes: setting.attributes,
    person: {
      contacts: [world.contact],
      sends: sendsOf(world),
      upcoming: world.elsewhere.upcoming,
      zones: world.zones,
      bestHour: setting.bestHour,
    },
    holdout: world.holdout,
    channels: world.channels,
    messages: world.messages,
    settings: setting.settings,
  };
  if (world.arm !== null) facts.arm = world.arm;
  if (step.bestHour === true) facts.step.bestHour = true;
  const laterMs = variantOf(step, setting)?.laterMs;
  if (laterMs !== undefined) facts.step.laterMs = scaled(laterMs, plan.timeScale);
  if (step.offer !== undefined) facts.step.offer = step.offer;
  if (setting.whatsappForms !== undefined) facts.step.whatsappForms = setting.whatsappForms;
  if (step.requires !== undefined) facts.claims = { made: [], required: step.requires.claim, known: setting.claims ?? { assumed: [] } };
  if (plan.silence === true) facts.subject.lastContactMs = Math.max(world.lastActivityMs, world.contact.lastReplyMs ?? 0);
  if (setting.hours !== undefined) facts.person.hours = setting.hours;
  if (world.sequence !== null) facts.sequence = world.sequence;
  if (setting.campaignSchedule !== undefined) facts.campaign = { paused: false, schedule: setting.campaignSchedule };
  return facts;
}

/** What the offer of a step is decided by, with what the rehearsal has brought before; null: the step asks for none, or nothing is known. */
export function offersIn(world: World, plan: Plan, step: SequenceDefinition['steps'][number], { offers, settings }: Setting): OfferRecords | null {
  if (step.offer === undefined || offers === undefined) return null;
  const others = [...world.grants].filter(([id]) => id !== step.id).map(([id, { atMs }]) => ({ atMs, step: `${plan.sequence}/${id}` }));
  const own = world.grants.get(step.id);
  return {
    ...offers,
    policy: settings.offers,
    own: own === undefined ? null : { percentOff: own.percentOff, endsAtMs: own.endsAtMs, state: own.state },
    earlier: [...others.sort((a, b) => b.atMs - a.atMs), ...offers.earlier],
    spentAtMs: offers.spentAtMs === null ? null : [...offers.spentAtMs, ...others.map(({ atMs }) => atMs)],
  };
}

/** Whether nothing but a person's approval keeps a model's text of the step from going out. In a rehearsal every text is written in time and keeps the rules. */
export const awaitsApproval = ({ decidedTexts }: World, { id, model, offer }: SequenceDefinition['steps'][number], { settings }: Setting): boolean =>
  settings.modelApproval && model !== undefined && offer === undefined && !decidedTexts.has(id);

/** A grant is part of the claim: whatever the provider answers, the next attempt brings the same. */
export function recordOffer(world: World, plan: Plan, stepId: StepId, { offer, subject }: Facts, nowMs: EpochMs): void {
  if (offer === undefined || offer.own !== null) return;
  const decision = decideOffer(offer, subject, nowMs, plan.timeScale);
  if (!decision.granted) return;
  const state = offer.policy?.source === 'shopify' ? 'granted' : 'minted';
  setGrant(world, stepId, { percentOff: decision.percentOff, endsAtMs: decision.endsAtMs, atMs: nowMs, state, failures: 0, againMs: nowMs });
}

function setGrant(world: World, stepId: StepId, grant: Grant): void {
  world.grants = new Map([...world.grants, [stepId, grant]]);
}

/**
 * Ask the shop for the code of a step's grant, where it has none yet, as the dispatch does.
 * @param sendsAt - whether every gate would be open then
 * @returns when the shop is asked again, and how often it has failed; null: the code is there, or the step goes on without
 * Source: docs/rules.md#rule-58
 */
export function askShop(
  world: World,
  plan: Plan,
  stepId: StepId,
  nowMs: EpochMs,
  sendsAt: (atMs: EpochMs) => boolean,
): { untilMs: EpochMs; failures: number } | null {
  const grant = world.grants.get(stepId);
  if (grant === undefined || grant.state !== 'granted') return null;
  if (grant.againMs > nowMs) return { untilMs: grant.againMs, failures: grant.failures };
  if (world.shop !== 'outage') {
    setGrant(world, stepId, { ...grant, state: world.shop === 'accepted' ? 'minted' : 'refused' });
    return null;
  }
  const failures = grant.failures + 1;
  const againMs = nowMs + shopPauseMs(failures, null);
  const waits = againMs < waitsForCodeUntil(grant.atMs, plan.timeScale) && sendsAt(againMs);
  setGrant(world, stepId, { ...grant, failures, againMs, state: waits ? 'granted' : 'refused' });
  return waits ? { untilMs: againMs, failures } : null;
}

/** The rehearsed enrollment among others of its person. */
const rehearsedId = 'rehearsed';

function sendsOf({ sends, elsewhere }: World): readonly SendRecord[] {
  return elsewhere.sends.length === 0 ? sends : [...sends, ...elsewhere.sends].sort((a, b) => b.atMs - a.atMs);
}

function change(world: World, channel: Channel, to: Partial<ChannelFacts>): void {
  const known = world.channels[channel];
  if (known !== undefined) world.channels[channel] = { ...known, ...to };
}

/** Times of a contact only move forward. */
function advance(world: World, field: 'lastOrderMs' | 'lastReplyMs' | 'lastSeenMs' | 'lastWhatsappMs', atMs: EpochMs): void {
  world.contact = { ...world.contact, [field]: Math.max(world.contact[field] ?? 0, atMs) };
}
