import { channelNames } from '../channels/index.ts';
import type { Channel } from '../channels/index.ts';
import type { ChannelFacts, ContactRecord, Facts, SendRecord } from '../gates/facts.ts';
import type { BaseSegment, SegmentModifier } from '../people/segments.ts';
import type { SequenceDefinition } from '../sequence/definition.ts';
import { dueAt } from '../sequence/due.ts';
import { stopReasonOfOrder } from '../sequence/ending.ts';
import type { EpochMs, Plan, Progress, StepId, StepOutcome } from '../sequence/plan.ts';
import { initialProgress, settle, stop } from '../sequence/progress.ts';
import { type TenantSettings, tenantSettings } from '../tenant-settings.ts';
import type { ProviderAnswer, RehearsalEvent } from './events.ts';

/** The person, the cart and the tenant of a rehearsal. */
export interface Setting {
  /** Where the person may live, the likeliest first. */
  timeZones: readonly string[];
  settings: TenantSettings;
  timeScale: number;
  segment: BaseSegment;
  modifiers: SegmentModifier[];
  valueMinor: number | null;
  currency: string | null;
  channels: Partial<Record<Channel, ChannelFacts>>;
  /** Whether opens and clicks become known at all (rule 9). */
  tracksOpens: boolean;
}

const usable: ChannelFacts = { connected: true, hasAddress: true, suppressed: false, consent: 'unknown', requiresConsent: false, refused: false };

/** What a tenant configures, day and night. */
export const plainSettings: TenantSettings = { ...tenantSettings.parse({}), quietHours: null };

/** A shop in UTC that sends emails day and night, to a first customer. */
export const plainSetting: Setting = {
  timeZones: ['UTC'],
  settings: plainSettings,
  timeScale: 1,
  segment: 'FIRST_TIME',
  modifiers: [],
  valueMinor: 12_990,
  currency: 'EUR',
  channels: { email: usable },
  tracksOpens: true,
};

/** Everything that a rehearsal changes as it goes: the stand-in for Postgres. */
export interface World {
  progress: Progress;
  lastActivityMs: EpochMs;
  contact: ContactRecord;
  subjectState: Facts['subject']['state'];
  channels: Partial<Record<Channel, ChannelFacts>>;
  messages: Facts['messages'];
  /** Newest first. */
  sends: SendRecord[];
  failures: Record<StepId, { failures: number; refusals: Partial<Record<Channel, number>> }>;
  provider: ProviderAnswer;
  workersDownUntilMs: EpochMs;
}

/** The world at the moment the cart was last touched. */
export function newWorld(anchorMs: EpochMs, setting: Setting): World {
  return {
    progress: initialProgress(anchorMs),
    lastActivityMs: anchorMs,
    contact: { lifecycle: 'IN_PROGRESS', lastOrderMs: null, lastReplyMs: null, lastSeenMs: null },
    subjectState: 'open',
    channels: { ...setting.channels },
    messages: {},
    sends: [],
    failures: {},
    provider: 'accepted',
    workersDownUntilMs: anchorMs,
  };
}

/** Let an event happen, as `operations/effects/` would write it. */
export function apply(world: World, event: RehearsalEvent, plan: Plan): void {
  switch (event.type) {
    case 'cart.updated':
      world.lastActivityMs = Math.max(world.lastActivityMs, event.atMs);
      return;
    case 'shop.visited':
      see(world, 'lastSeenMs', event.atMs);
      return;
    case 'order.placed':
      if (event.matched) world.subjectState = 'converted';
      see(world, 'lastOrderMs', event.atMs);
      world.progress = stop(world.progress, stopReasonOfOrder({ activated: world.progress.activatedAtMs !== null, matched: event.matched }));
      return;
    case 'checkout.gone':
      world.subjectState = 'gone';
      return;
    case 'message.received':
      see(world, 'lastReplyMs', event.atMs);
      if (plan.stopOn.includes('replied')) world.progress = stop(world.progress, 'replied');
      return;
    case 'contact.opted_out':
      for (const channel of event.channel === null ? channelNames : [event.channel]) change(world, channel, { suppressed: true });
      if (event.channel === null) world.progress = stop(world.progress, 'opted_out');
      return;
    case 'message.opened':
    case 'message.clicked': {
      const message = world.messages[event.step];
      if (message === undefined || message.opened === null) return;
      // A click is an open, even where the picture that reports opens was blocked.
      world.messages[event.step] = { ...message, opened: true, clicked: message.clicked === true || event.type === 'message.clicked' };
      return;
    }
    case 'provider.answers':
      world.provider = event.with;
      return;
    case 'workers.down':
      world.workersDownUntilMs = Math.max(world.workersDownUntilMs, event.untilMs);
      return;
    case 'paused':
      world.progress = { ...world.progress, held: 'paused' };
      return;
    case 'resumed':
      world.progress = { ...world.progress, held: null };
  }
}

/** A step ended: progress, and what later conditions and the gap between sends look at. */
export function settleStep(
  world: World,
  plan: Plan,
  stepId: StepId,
  outcome: Exclude<StepOutcome, 'skipped'>,
  channel: Channel,
  nowMs: EpochMs,
  setting: Setting,
): void {
  const reported = setting.tracksOpens ? false : null;
  world.sends.unshift({ channel, atMs: nowMs, dueMs: dueAt(plan, world.progress, stepId) });
  world.messages[stepId] = { sentAtMs: nowMs, opened: reported, clicked: reported };
  world.progress = settle(world.progress, stepId, outcome, nowMs);
}

/** What a hard refusal leaves: the address is blocked, and this message has the next channel of its list. */
export function refuseForGood(world: World, channel: Channel): void {
  change(world, channel, { suppressed: true, refused: true });
}

/** The next message starts with a clean sheet; the suppression stays. */
export function forgetRefusals(world: World): void {
  for (const channel of channelNames) if (world.channels[channel]?.refused === true) change(world, channel, { refused: false });
}

/** The facts as `operations/dispatch-step.ts` would read them under the person's lock. */
export function factsOf(world: World, plan: Plan, step: SequenceDefinition['steps'][number], setting: Setting): Facts {
  return {
    plan,
    progress: world.progress,
    step: { id: step.id, when: step.when, channels: step.channels, refusals: world.failures[step.id]?.refusals ?? {}, maxRetries: step.maxRetries },
    enrollment: { ended: null },
    subject: {
      state: world.subjectState,
      boughtBy: 'key',
      lastActivityMs: world.lastActivityMs,
      valueMinor: setting.valueMinor,
      currency: setting.currency,
      segment: setting.segment,
      modifiers: setting.modifiers,
    },
    person: {
      contacts: [world.contact],
      sends: world.sends,
      zones: { timeZones: setting.timeZones, basis: 'stated', country: null },
    },
    channels: world.channels,
    messages: world.messages,
    settings: setting.settings,
  };
}

function change(world: World, channel: Channel, to: Partial<ChannelFacts>): void {
  const known = world.channels[channel];
  if (known !== undefined) world.channels[channel] = { ...known, ...to };
}

function see(world: World, field: 'lastOrderMs' | 'lastReplyMs' | 'lastSeenMs', atMs: EpochMs): void {
  world.contact = { ...world.contact, [field]: Math.max(world.contact[field] ?? 0, atMs) };
}
