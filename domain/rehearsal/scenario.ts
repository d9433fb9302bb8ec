import { z } from 'zod';
import { claimNames } from '../claims/index.ts';
import { channelNames } from '../channels/index.ts';
import type { ChannelFacts } from '../gates/facts.ts';
import type { LegalPlace } from '../law/legal-hours.ts';
import { consentReadings } from '../people/consent-by-law.ts';
import { replyPolicies } from '../people/on-reply.ts';
import { codeOfRegion } from '../people/region-zones.ts';
import { minorDigits } from '../money.ts';
import type { SequenceDefinition } from '../sequence/definition.ts';
import { kindOfSequence } from '../sequence/triggers.ts';
import { parseDuration } from '../sequence/duration.ts';
import type { EpochMs } from '../sequence/plan.ts';
import { attributeNamesFor } from '../subjects/attributes.ts';
import { type SubjectKinds, subjectKinds } from '../subjects/index.ts';
import { weekdays, type WeeklyWindow } from '../time/weekly-window.ts';
import { canonicalTimeZone, offsetMsAt } from '../time/zones.ts';
import { type Mistake, type ReadYaml, readYaml } from '../yaml-file.ts';
import type { RehearsalEvent } from './events.ts';
import { offerTerms } from '../settings-change.ts';
import { plainSetting, plainSettings, type Setting } from './world.ts';

const span = z.string().transform((text, context) => {
  const ms = parseDuration(text);
  if (ms === null) context.addIssue('is no span: write a whole number and s, m, h or d, e.g. 30m');
  return ms ?? 0;
});
const timeOfDay = /^([01]\d|2[0-3]):([0-5]\d)$/;
const minuteOf = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
const unknownField = 'is needed for this event';

const happening = z.strictObject({
  at: span,
  event: z.enum(
    [
      'changed',
      'seen',
      'purchase',
      'purchase_elsewhere',
      'deleted',
      'reply',
      'opt_out',
      'opened',
      'clicked',
      'provider',
      'shop',
      'reply_later',
      'workers_down',
      'paused',
      'resumed',
      'takeover',
      'released',
      'other_sent',
      'approved',
      'rejected',
    ],
    { error: 'is no event of a scenario: docs/rehearsal.md lists them' },
  ),
  step: z.string().optional(),
  channel: z.enum(channelNames, { error: 'is no channel' }).optional(),
  answers: z.enum(['accepted', 'outage', 'refused', 'refused_for_good', 'unknown'], { error: 'is no answer of a provider' }).optional(),
  for: span.optional(),
});
type Happening = z.output<typeof happening>;

const scenarioSchema = z.strictObject({
  /** When the subject was left, on the person's clock. */
  from: z
    .string()
    .regex(/^\d{4}-\d\d-\d\d(T\d\d:\d\d)?$/, 'is no local time: write it like 2026-03-10T10:00')
    .optional(),
  timeZone: z
    .string()
    .refine((name) => canonicalTimeZone(name) !== null, 'is no time zone that is known here: write it like Europe/Vienna')
    .default('UTC'),
  /** Where the person is, for the hours that the law has for texts and calls. */
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, 'is no country code like US')
    .optional(),
  region: z.string().optional(),
  /** What the person has said about being contacted. */
  consent: z.enum(['granted', 'unknown', 'denied'], { error: 'is neither granted, unknown nor denied' }).default('granted'),
  consentLaw: z.enum(consentReadings, { error: 'is neither strict, law nor off' }).default('off'),
  /** The day on which they last bought, before all this. */
  lastOrder: z.iso.date({ error: 'is no date like 2026-01-31' }).optional(),
  quietHours: z
    .union([z.literal(['off', false]), z.strictObject({ from: z.string().regex(timeOfDay), to: z.string().regex(timeOfDay) })], {
      error: 'is neither `off` nor like { from: "21:00", to: "08:00" }',
    })
    .default({ from: '21:00', to: '08:00' }),
  /** When its campaign contacts leads, and how fast. */
  campaign: z
    .strictObject({
      days: z
        .array(z.enum(weekdays, { error: 'is no day like mon' }))
        .min(1, 'has no day')
        .optional(),
      from: z.string().regex(timeOfDay).optional(),
      to: z.string().regex(timeOfDay).optional(),
      /** How fast its messages leave, to all leads together. */
      rate: z
        .strictObject({
          most: z.int('is no whole number of messages').min(1, 'is below 1').max(1_000_000, 'is above 1000000'),
          within: span.refine((ms) => ms > 0, 'is no span of time: write 1h or 1d'),
        })
        .optional(),
      /** How many messages to other leads have their turns before each message of this one. */
      ahead: z.int('is no whole number of messages').min(0, 'is below 0').max(1_000_000, 'is above 1000000').default(0),
    })
    .refine(({ from, to }) => from === undefined || from !== to, { path: ['to'], message: 'is never open: `from` and `to` are the same' })
    .refine(({ from, to }) => (from === undefined) === (to === undefined), { message: 'has one of `from` and `to`: a schedule needs both' })
    .refine(({ days, from }) => days === undefined || from !== undefined, {
      path: ['from'],
      message: 'is missing, with `to`: days alone are no schedule',
    })
    .refine(({ rate, ahead }) => rate !== undefined || ahead === 0, {
      path: ['ahead'],
      message: 'needs a `rate`: without one nobody waits for others',
    })
    .refine(({ from, rate }) => from !== undefined || rate !== undefined, { message: 'is empty: it has a schedule, a rate, or both' })
    .optional(),
  channels: z.array(z.enum(channelNames, { error: 'is no channel' })).default(['email', 'sms']),
  segment: z.enum(['FIRST_TIME', 'RETURNING', 'HIGH_VALUE'], { error: 'is no segment' }).default('FIRST_TIME'),
  lowStock: z.boolean().default(false),
  /** The claims that hold, whenever they are made. */
  claims: z.array(z.enum(claimNames, { error: 'is no claim' })).default([]),
  /** How many are left of each thing in the subject; null: not known. */
  stock: z
    .union(
      [
        z.array(z.number().nonnegative().nullable()),
        z
          .number()
          .nonnegative()
          .transform((one) => [one]),
      ],
      { error: 'is neither a number of units nor a list of them' },
    )
    .default([]),
  attributes: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
  /** In major units. */
  value: z.number().nonnegative().nullable().default(129.9),
  currency: z
    .string()
    .refine((code) => minorDigits(code) !== null, 'is no currency of ISO 4217')
    .default('EUR'),
  tracksOpens: z.boolean().default(true),
  /** Whether an opt-out on one channel closes all of them. */
  optOutAllChannels: z.boolean().default(true),
  /** What a reply leads to where the sequence does not say it itself. */
  onReply: z.enum(replyPolicies, { error: 'is neither stop nor takeover' }).default('stop'),
  holdout: z.boolean().default(false),
  /** By step, the variant that the person gets. */
  variants: z.record(z.string(), z.string()).default({}),
  /** The arm of the sequence that the person is in. */
  arm: z.string().optional(),
  /** The store's terms of offers, as the setting has them. */
  offers: offerTerms.optional(),
  /** How long before all this the person wrote by WhatsApp, and the forms that its texts have. */
  wroteByWhatsapp: span.optional(),
  whatsappForms: z
    .array(z.enum(['text', 'template'], { error: 'is neither text nor template' }))
    .min(1)
    .optional(),
  /** How long before all this the person had an offer. */
  hadOffer: span.optional(),
  /** Carts that they have left in 90 days, this one included. */
  cartsLeft: z.int().min(1, 'is below 1').default(1),
  /** How many offers of the budget are given already. */
  offersGiven: z.int().min(0, 'is below 0').optional(),
  /** What it would cost without reductions, in major units. */
  regularValue: z.number().nonnegative().optional(),
  /** How long the store's steps wait for a person's approval of a model's text. */
  approval: span.optional(),
  bestHour: z.int().min(0, 'is no hour from 0 to 23').max(23, 'is no hour from 0 to 23').nullable().default(null),
  timeScale: z.number().int().min(1).default(1),
  events: z.array(happening).default([]),
});
type ScenarioShape = z.output<typeof scenarioSchema>;

/** What a sequence is rehearsed with. */
export interface Scenario {
  /** When the subject was left. */
  fromMs: EpochMs;
  timeZone: string;
  setting: Setting;
  /** The leaving itself first. */
  events: RehearsalEvent[];
}

/** Whom it happens to, where that is known: then only what happens is taken from the file. */
export interface RealPerson {
  timeZone: string;
  setting: Setting;
  nowMs: EpochMs;
}

/** When a subject was left, where a scenario does not say it. */
const usualFrom = '2026-03-10T10:00';

/**
 * Read a scenario from YAML: what happens while a sequence is rehearsed, and to whom. Source: docs/rehearsal.md
 * @param yaml - an empty text is the plain scenario: nothing happens
 * @param definition - steps and attributes that it names must be known there
 * @param person - null: the scenario says who they are
 */
export function parseScenario(
  yaml: string,
  definition: SequenceDefinition,
  kinds: SubjectKinds = subjectKinds,
  person: RealPerson | null = null,
): ReadYaml<Scenario> {
  const read = readYaml(yaml.trim() === '' ? '{}' : yaml, scenarioSchema, (shape) => mistakesIn(shape, definition, kinds));
  if (read.ok && person !== null) return { ...read, value: withPerson(read.value, person) };
  return read.ok ? { ...read, value: toScenario(read.value, { isInquiry: kindOfSequence(kinds, definition)?.isInquiry }) } : read;
}

function mistakesIn(shape: ScenarioShape, definition: SequenceDefinition, kinds: SubjectKinds): Mistake[] {
  const kind = kindOfSequence(kinds, definition);
  return [
    ...attributeMistakes(shape, kind === null ? [] : attributeNamesFor(kind)),
    ...variantMistakes(shape, definition),
    ...armMistakes(shape, definition),
    ...eventMistakes(shape, definition),
  ];
}

function attributeMistakes({ attributes }: ScenarioShape, known: readonly string[]): Mistake[] {
  return Object.keys(attributes)
    .filter((name) => !known.includes(name))
    .map((name) => ({ path: ['attributes', name], message: `is no attribute here: it has ${known.join(', ')}` }));
}

function armMistakes({ arm }: ScenarioShape, { arms = [] }: SequenceDefinition): Mistake[] {
  const known = arms.map(({ id }) => id);
  if (arm === undefined || known.includes(arm)) return [];
  return [
    {
      path: ['arm'],
      message: known.length === 0 ? 'has no use here: the sequence has no arms' : `is no arm of this sequence: it has ${known.join(', ')}`,
    },
  ];
}

function variantMistakes({ variants }: ScenarioShape, { steps }: SequenceDefinition): Mistake[] {
  return Object.entries(variants).flatMap(([id, variant]): Mistake[] => {
    const known = steps.find((step) => step.id === id)?.variants?.map((one) => one.id) ?? [];
    if (known.includes(variant)) return [];
    const message = known.length === 0 ? 'is no step with variants' : `is no variant of this step: it has ${known.join(', ')}`;
    return [{ path: ['variants', id], message }];
  });
}

function eventMistakes({ events }: ScenarioShape, { steps }: SequenceDefinition): Mistake[] {
  const needs: Partial<Record<Happening['event'], 'step' | 'answers' | 'for'>> = {
    opened: 'step',
    clicked: 'step',
    approved: 'step',
    rejected: 'step',
    provider: 'answers',
    shop: 'answers',
    reply_later: 'for',
    workers_down: 'for',
  };
  return events.flatMap((given, index): Mistake[] => {
    const needed = needs[given.event];
    const strange =
      given.event === 'shop' && given.answers !== undefined && !['accepted', 'outage', 'refused'].includes(given.answers)
        ? [{ path: ['events', index, 'answers'], message: 'is no answer of a shop: write accepted, outage or refused' }]
        : [];
    const missing = needed !== undefined && given[needed] === undefined ? [{ path: ['events', index, needed], message: unknownField }] : [];
    const known = given.step === undefined || steps.some(({ id }) => id === given.step);
    return known
      ? [...missing, ...strange]
      : [{ path: ['events', index, 'step'], message: `is no step of this sequence: it has ${steps.map(({ id }) => id).join(', ')}` }];
  });
}

const usable: ChannelFacts = { connected: true, hasAddress: true, suppressed: false, consent: 'granted', requiresConsent: true, refused: false };

/** Where nothing was said, the store's setting is that of emails: silence is enough where the law says nothing else. */
const consentOf = ({ consent }: ScenarioShape): Pick<ChannelFacts, 'consent' | 'requiresConsent'> => ({
  consent,
  requiresConsent: consent !== 'unknown',
});

function toScenario(shape: ScenarioShape, { isInquiry }: { isInquiry?: boolean | undefined }): Scenario {
  const fromMs = localMs(shape.timeZone, shape.from ?? usualFrom);
  const { quietHours, value, currency } = shape;
  const window = quietHours === 'off' || quietHours === false ? null : { fromMinute: minuteOf(quietHours.from), toMinute: minuteOf(quietHours.to) };
  const setting: Setting = {
    ...plainSetting,
    timeZones: [shape.timeZone],
    place: placeOf(shape),
    settings: {
      ...plainSettings,
      ...approvalOf(shape),
      quietHours: window,
      consentLaw: shape.consentLaw,
      optOutAllChannels: shape.optOutAllChannels,
      onReply: shape.onReply,
      offers: shape.offers ?? null,
    },
    timeScale: shape.timeScale,
    segment: shape.segment,
    modifiers: shape.lowStock ? ['LOW_STOCK'] : [],
    claims: { assumed: shape.claims },
    valueMinor: value === null ? null : Math.round(value * 10 ** (minorDigits(currency) ?? 0)),
    currency,
    stock: shape.stock,
    attributes: shape.attributes,
    channels: Object.fromEntries(shape.channels.map((channel) => [channel, { ...usable, ...consentOf(shape) }])),
    tracksOpens: shape.tracksOpens,
    heldOut: shape.holdout,
    bestHour: shape.bestHour,
    ...(shape.lastOrder === undefined ? {} : { lastOrderMs: Math.min(Date.parse(`${shape.lastOrder}T12:00Z`), fromMs - 1) }),
    ...(shape.wroteByWhatsapp === undefined ? {} : { lastWhatsappMs: fromMs - shape.wroteByWhatsapp }),
    ...(shape.whatsappForms === undefined ? {} : { whatsappForms: shape.whatsappForms }),
    ...campaignOf(shape),
    isInquiry: isInquiry === true,
    variants: shape.variants,
    ...(shape.arm === undefined ? {} : { arm: shape.arm }),
    ...(shape.offers === undefined ? {} : { offers: offersOf(shape, fromMs) }),
  };
  return {
    fromMs,
    timeZone: shape.timeZone,
    setting,
    events: [{ atMs: fromMs, type: 'subject.updated' }, ...shape.events.map((e) => toEvent(e, fromMs))],
  };
}

function campaignOf({ campaign }: ScenarioShape): Pick<Setting, 'campaignSchedule' | 'campaignPace'> {
  if (campaign === undefined) return {};
  const { days, from, to, rate, ahead } = campaign;
  const schedule: WeeklyWindow | null =
    from === undefined || to === undefined ? null : { days: days ?? weekdays, fromMinute: minuteOf(from), toMinute: minuteOf(to) };
  return {
    ...(schedule === null ? {} : { campaignSchedule: schedule }),
    ...(rate === undefined ? {} : { campaignPace: { rate: { most: rate.most, withinMs: rate.within }, ahead } }),
  };
}

const approvalOf = ({ approval }: ScenarioShape): Partial<Setting['settings']> =>
  approval === undefined ? {} : { modelApproval: true, modelApprovalHours: approval / 3_600_000 };

/** What offers are decided by. A budget of which nothing is said is not known; codes are there. */
function offersOf(
  { hadOffer, cartsLeft, offersGiven, regularValue, value, currency }: ScenarioShape,
  fromMs: EpochMs,
): NonNullable<Setting['offers']> {
  const regular = regularValue ?? value;
  return {
    earlier: hadOffer === undefined ? [] : [{ atMs: fromMs - hadOffer, step: 'another/offer' }],
    spentAtMs: offersGiven === undefined ? null : Array<number>(offersGiven).fill(fromMs - 1),
    cartsLeft,
    regularMinor: regular === null ? null : Math.round(regular * 10 ** (minorDigits(currency) ?? 0)),
    codesLeft: null,
  };
}

function withPerson({ from, events }: ScenarioShape, { timeZone, setting, nowMs }: RealPerson): Scenario {
  const fromMs = from === undefined ? nowMs : localMs(timeZone, from);
  return { fromMs, timeZone, setting, events: [{ atMs: fromMs, type: 'subject.updated' }, ...events.map((e) => toEvent(e, fromMs))] };
}

function placeOf({ country, region }: ScenarioShape): LegalPlace {
  if (country === undefined) return { country: null, region: null };
  return { country, region: region === undefined ? null : codeOfRegion(country, region) };
}

function toEvent({ at, event, step = '', channel, answers = 'accepted', for: given }: Happening, fromMs: EpochMs): RehearsalEvent {
  const atMs = fromMs + at;
  const lasts = given ?? 0;
  switch (event) {
    case 'changed':
      return { atMs, type: 'subject.updated' };
    case 'seen':
      return { atMs, type: 'person.seen' };
    case 'purchase':
      return { atMs, type: 'order.placed', matched: true };
    case 'purchase_elsewhere':
      return { atMs, type: 'order.placed', matched: false };
    case 'deleted':
      return { atMs, type: 'subject.gone' };
    case 'reply':
      return { atMs, type: 'message.received', ...(channel === undefined ? {} : { channel }) };
    case 'opt_out':
      return { atMs, type: 'contact.opted_out', channel: channel ?? null };
    case 'opened':
    case 'clicked':
      return { atMs, type: `message.${event}`, step };
    case 'provider':
      return { atMs, type: 'provider.answers', with: answers };
    case 'shop':
      return { atMs, type: 'shop.answers', with: answers === 'outage' || answers === 'refused' ? answers : 'accepted' };
    case 'reply_later':
      return { atMs, type: 'snoozed', untilMs: atMs + lasts };
    case 'workers_down':
      return { atMs, type: 'workers.down', untilMs: atMs + lasts };
    case 'paused':
    case 'resumed':
    case 'released':
      return { atMs, type: event };
    case 'takeover':
      return { atMs, type: 'taken_over', untilMs: given === undefined ? null : atMs + given };
    case 'approved':
    case 'rejected':
      return { atMs, type: 'text.decided', step };
    case 'other_sent':
      return { atMs, type: 'other.sent', channel: channel ?? 'email', step: `another/${channel ?? 'email'}` };
  }
}

/** A local time as an instant: the first of two where the clock is put back, the instant after the gap where it is put forward. */
function localMs(timeZone: string, local: string): EpochMs {
  const asUtcMs = Date.parse(`${local.length === 10 ? `${local}T00:00` : local}Z`);
  const before = asUtcMs - offsetMsAt(timeZone, asUtcMs - 86_400_000);
  const after = asUtcMs - offsetMsAt(timeZone, asUtcMs + 86_400_000);
  return before + offsetMsAt(timeZone, before) === asUtcMs ? before : after + offsetMsAt(timeZone, after) === asUtcMs ? after : before;
}
