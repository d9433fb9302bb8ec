import { type RetentionField, shortestDays, usualRetention } from './privacy/retention.ts';
import { z } from 'zod';
import { channelNames } from './channels/index.ts';
import { factKindNames } from './facts/index.ts';
import { microsOf } from './interventions/amount.ts';
import { usualMinutes } from './interventions/cost.ts';
import { minorDigits } from './money.ts';
import { offerSources } from './offers/policy.ts';
import { wrongWithThresholds } from './risk/bands.ts';
import { reachedStages } from './people/silence-stage.ts';
import { weekdays } from './time/weekly-window.ts';
import { canonicalTimeZone } from './time/zones.ts';
import { tenantSettings } from './tenant-settings.ts';

const fields = tenantSettings.shape;
const line = (most: number) => z.string().trim().min(1, 'is empty').max(most, `is longer than ${most} characters`);
const webAddress = z.url({ protocol: /^https?$/, error: 'is no http(s) address' });
const emailAddress = z.email({ error: 'is no email address' });
const minute = z
  .int('is a whole number of minutes')
  .min(0, 'is before midnight')
  .max(24 * 60, 'is more than a day');
/** What the record of a person's messages reaches back to (`db/functions/read_step_3.sql`). */
const longestCapHours = 31 * 24;
const cap = z.strictObject({
  channel: z.enum(channelNames, 'is no channel').nullable(),
  most: z.int('is a whole number of messages').min(1, 'is below 1: a channel that is not to be used is not connected').max(50, 'is above 50'),
  withinHours: z.int('is a whole number of hours').min(1, 'is below 1').max(longestCapHours, `is above ${longestCapHours}, which is 31 days`),
});
const amount = z.int('is a whole number, in minor units').min(0, 'is below 0');

/** Less than a day is no silence yet. */
const silentHours = z.int('is a whole number of hours').min(24, 'is below 24').max(8_760, 'is more than a year');

/** Less than the installation's interval is its interval. */
const sweepMost = z.int('is a whole number of leads').min(1, 'is below 1').max(10_000, 'is above 10000').nullable();
const sweepMinutes = z.int('is a whole number of minutes').min(1, 'is below 1').max(43_200, 'is above 43200, which is 30 days').nullable();

const overdueMinutes = z.int('is a whole number of minutes').min(0, 'is below 0').max(43_200, 'is above 43200, which is 30 days');
const bandStart = z.number('is no number').gt(0, 'is not above 0').lt(1, 'is not below 1');
const kept = (field: RetentionField) =>
  z
    .int('is a whole number of days')
    .min(shortestDays[field], `is below ${shortestDays[field]}`)
    .max(36_500, 'is more than a century: null keeps it for good')
    .nullable();
const percent = z.number().min(0, 'is below 0').max(100, 'is above 100');
const share = z.number().min(0, 'is below 0').max(1, 'is above 1');
const days = z.int('is a whole number of days').min(1, 'is below 1').max(366, 'is more than a year');
/** The terms of offers as they are entered. */
export const offerTerms = z
  .strictObject({
    percentOff: z.int('is a whole number of percent').min(1, 'is below 1').max(90, 'is above 90'),
    validHours: z.int('is a whole number of hours').min(2, 'is below 2').max(2_160, 'is more than 90 days').default(48),
    source: z.enum(offerSources, `is none of ${offerSources.join(', ')}`).default('pool'),
    onePerDays: days.default(90),
    minimumMinor: amount.default(0),
    marginPercent: percent.nullable().default(null),
    leastMarginPercent: percent.nullable().default(null),
    budget: z
      .strictObject({ most: z.int('is a whole number').min(1, 'is below 1').max(1_000_000, 'is above 1000000'), withinDays: days })
      .nullable()
      .default(null),
    mostCartsLeft: z.int('is a whole number').min(1, 'is below 1').max(100, 'is above 100').default(2),
  })
  .refine(({ leastMarginPercent, marginPercent }) => leastMarginPercent === null || marginPercent !== null, {
    path: ['marginPercent'],
    message: 'is missing: without it no margin can be kept',
  });

const currency = z.string().refine((code) => /^[A-Z]{3}$/.test(code) && minorDigits(code) !== null, 'is no currency code like EUR');
const price = z.strictObject({ amount: z.string().refine((text) => microsOf(text) !== null, 'is no amount such as "0.0079"'), currency });
const workMinutes = z.int('is a whole number of minutes').min(0, 'is below 0').max(1_440, 'is more than a day').optional();
const effect = z.number('is no share').min(0, 'is below 0').max(1, 'is above 1: 0.05 are five of a hundred').nullable();

/**
 * What a change of settings may hold: any fields of the settings, each checked more strictly than a stored row is read. A field that is not a
 * setting is an error, because a misspelt one would change nothing.
 */
const strict = {
  storeName: line(120),
  storeUrl: webAddress,
  logoUrl: webAddress.nullable(),
  postalAddress: line(500),
  supportEmail: emailAddress.nullable(),
  brandColor: z.string().regex(/^#[0-9a-f]{6}$/i, 'is no color like #1f6f5c'),
  senderName: line(120),
  senderAddress: emailAddress,
  replyTo: emailAddress.nullable(),
  smsSender: z
    .string()
    .regex(/^(\+[1-9]\d{6,14}|[A-Za-z0-9 ]{1,11})$/, 'is neither a number in E.164 nor a name of at most 11 letters')
    .nullable(),
  smsOptOut: line(100).nullable(),
  smsTransliterate: z.boolean(),
  smsLinkUrl: z
    .url({ protocol: /^https$/, error: 'is no https address like https://go.example.com' })
    .refine((url) => url.length <= 40, 'is longer than 40 characters, of which a text has few')
    .refine(isOrigin, 'has a path, a query or a port: the domain alone is named, like https://go.example.com')
    .nullable(),
  locale: z.string().refine(isLocale, 'is no language tag like en or de-AT'),
  timeZone: z.string().refine((name) => canonicalTimeZone(name) !== null, 'is no time zone like Europe/Vienna'),
  country: z.string().regex(/^[A-Z]{2}$/, 'is no country code like US'),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'is no currency code like EUR')
    .nullable(),
  shippingNote: line(500).nullable(),
  returnsNote: line(500).nullable(),
  quietHours: z.strictObject({ fromMinute: minute, toMinute: minute }).nullable(),
  quietHoursOn: z.partialRecord(z.enum(channelNames, 'is no channel'), z.strictObject({ fromMinute: minute, toMinute: minute }).nullable()),
  blackoutDates: z
    .array(z.strictObject({ from: z.iso.date('is no date like 2026-12-24'), to: z.iso.date('is no date like 2026-12-26') }))
    .max(100, 'are more than 100'),
  legalHours: z.boolean(),
  caps: z.array(cap).max(20, 'are more than 20'),
  requireConsent: z.array(z.enum(channelNames, 'is no channel')),
  consentLaw: fields.consentLaw.unwrap(),
  onReply: fields.onReply.unwrap(),
  takeoverHours: z.int('is a whole number of hours').min(1, 'is below 1').max(8_760, 'is more than a year').nullable(),
  catchUpPerMinute: z.int('is a whole number of messages').min(1, 'is below 1').max(60_000, 'is above 60000').nullable(),
  optOutAllChannels: z.boolean(),
  keywordAnswers: z.boolean(),
  highValueMinor: amount,
  lowStockAt: amount,
  factHours: z.partialRecord(
    z.enum(factKindNames, 'is no kind of fact'),
    z.int('is a whole number of hours').min(1, 'is below 1').max(8_760, 'is more than a year'),
  ),
  reviewsFrom: z.number('is a number from 1 to 5').min(1, 'is below 1').max(5, 'is above 5'),
  trackOpens: z.boolean(),
  brandVoice: line(1_000).nullable(),
  modelBannedWords: z.array(line(60)).max(100, 'are more than 100'),
  modelRequiredWords: z.array(line(60)).max(20, 'are more than 20'),
  modelApproval: z.boolean(),
  modelApprovalHours: z.int('is a whole number of hours').min(0, 'is below 0').max(168, 'is above 168, which is a week'),
  modelDailyBudget: z.number('is no amount').min(0, 'is below 0').max(100_000, 'is above 100000'),
  modelPrices: z.strictObject({
    input: z.number('is no amount').min(0, 'is below 0').max(10_000, 'is above 10000'),
    output: z.number('is no amount').min(0, 'is below 0').max(10_000, 'is above 10000'),
  }),
  winnersTakeOver: z.boolean(),
  guardrailsStop: z.boolean(),
  learnedHours: z.boolean(),
  retention: z.strictObject({
    inboundDays: kept('inboundDays'),
    messageDays: kept('messageDays'),
    enrollmentDays: kept('enrollmentDays'),
    // Added later than the other fields: a request with only those still states a whole setting.
    assessmentDays: kept('assessmentDays').default(usualRetention.assessmentDays),
    eventDays: kept('eventDays'),
    auditDays: kept('auditDays'),
    anonymousCartDays: kept('anonymousCartDays'),
  }),
  offers: offerTerms.nullable(),
  attribution: z.strictObject({
    windowDays: z.number('is no number of days').min(1, 'is below 1').max(365, 'is more than a year'),
    halfLifeDays: z.number('is no number of days').min(0.1, 'is below 0.1').max(365, 'is more than a year'),
  }),
  exchangeRates: z
    .record(z.string(), z.number('is no rate').positive('is not above 0').max(1e9, 'is above a thousand million'))
    .refine((rates) => Object.keys(rates).every((currency) => /^[A-Z]{3}$/.test(currency) && minorDigits(currency) !== null), {
      message: 'names something that is no currency, such as EUR',
    }),
  silenceHours: z
    .strictObject({ '24h': silentHours, '3d': silentHours, '7d': silentHours, '14d': silentHours, '30d': silentHours })
    .refine((hours) => reachedStages.every((stage, index) => index === 0 || hours[stage] > hours[reachedStages[index - 1] ?? stage]), {
      message: 'are in no order: each stage is later than the one before',
    }),
  silentSweepMinutes: sweepMinutes,
  ghostSweepMinutes: sweepMinutes,
  silentSweepMost: sweepMost,
  ghostSweepMost: sweepMost,
  riskPrediction: z.strictObject({
    what: z.enum(['no_purchase', 'no_answer'], 'is neither no_purchase nor no_answer'),
    withinDays: z.int('is a whole number of days').min(7, 'is below 7').max(366, 'is more than a year'),
  }),
  riskBands: z
    .strictObject({ early: bandStart, active: bandStart, critical: bandStart })
    .refine((bands) => wrongWithThresholds(bands) === null, { message: 'do not ascend: early begins below active, and active below critical' }),
  interventionCosts: z.strictObject({
    messages: z.partialRecord(z.enum(channelNames, 'is no channel'), price).default({}),
    peoplePerHour: price.nullable().default(null),
    minutes: z
      .strictObject({ agent_call: workMinutes, assignment: workMinutes, escalation: workMinutes })
      .partial()
      .default({})
      .transform((minutes) => ({ ...usualMinutes, ...minutes })),
    modelCurrency: currency.nullable().default(null),
  }),
  interventionEffects: z.strictObject({ early: effect, active: effect, critical: effect }),
  interventionWindowDays: z.int('is a whole number of days').min(1, 'is below 1').max(90, 'is above 90'),
  interventionRollout: percent,
  workTargets: z
    .array(
      z.strictObject({
        name: line(120),
        role: z.enum(['agent', 'manager'], 'is neither agent nor manager'),
        skills: z.array(line(60)).max(20, 'are more than 20').default([]),
        onDuty: z
          .strictObject({ fromMinute: minute, toMinute: minute, days: z.array(z.enum(weekdays, 'is no day such as mon')).min(1, 'names no day') })
          .nullable()
          .default(null),
      }),
    )
    .max(200, 'are more than 200')
    .refine((targets) => new Set(targets.map(({ name }) => name)).size === targets.length, { message: 'name somebody twice' }),
  workRule: fields.workRule.unwrap(),
  overdueTasks: z.strictObject({
    remindMinutes: z.array(overdueMinutes).max(10, 'are more than 10'),
    passOnMinutes: overdueMinutes.min(1, 'is below 1').nullable(),
    order: z
      .array(line(120))
      .max(200, 'are more than 200')
      .refine((names) => new Set(names).size === names.length, { message: 'name somebody twice' }),
  }),
  alarms: z
    .strictObject({
      latencySeconds: z.number().min(1, 'is below 1').max(86_400, 'is above 86400').nullable(),
      successShare: share.nullable(),
      escalationShare: share.nullable(),
      failuresPerHour: z.int('is a whole number').min(0, 'is below 0').nullable(),
      backlog: z.int('is a whole number').min(0, 'is below 0').nullable(),
      minutes: z.number().min(0, 'is below 0').max(1_440, 'is above 1440'),
    })
    .partial(),
  adminChatId: z
    .string()
    .max(100, 'is longer than 100 characters')
    .regex(/^-?\d{1,20}$/, 'is no id of a Telegram chat')
    .nullable(),
  recoverFrom: fields.recoverFrom.unwrap(),
  requestsPerMinute: z.int('is a whole number of requests').min(60, 'is below 60').max(600_000, 'is above 600000'),
  sharedKeys: fields.sharedKeys.unwrap(),
} satisfies Record<keyof typeof fields, z.ZodType>;

export const settingsChange = z.strictObject(strict).partial();
export type SettingsChange = z.infer<typeof settingsChange>;

/** Nothing behind the name of the host. */
function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text.replace(/\/$/, '') && new URL(text).port === '';
}

function isLocale(text: string): boolean {
  try {
    return Intl.getCanonicalLocales(text).length === 1;
  } catch {
    return false;
  }
}
