import { z } from 'zod';
import { usualMinutes } from './interventions/cost.ts';
import { usualThresholds } from './alarms/decide-alarm.ts';
import { targetRules } from './work/target.ts';
import { cartOrigins } from './events.ts';
import { consentRequiredByDefault } from './people/consent.ts';
import { consentReadings } from './people/consent-by-law.ts';
import { replyPolicies } from './people/on-reply.ts';
import { offerPolicy } from './offers/policy.ts';
import { normaliseEmail } from './people/identity.ts';
import { usualRetention } from './privacy/retention.ts';
import { usualSilenceHours } from './people/silence-stage.ts';

/** The most that one person gets in any rolling window, over all sequences. What may have gone out counts. Source: docs/rules.md#rule-19 */
const cap = z.object({
  /** null: all channels that reach people wherever they are. */
  channel: z.string().nullable(),
  most: z.number().int(),
  withinHours: z.number().int(),
});

const keptDays = z.number().int().nullable();
const price = z.object({ amount: z.string(), currency: z.string() });

/** What a tenant configures. Every field has a default, so that a new one never breaks an old row. Money in minor units. */
export const tenantSettings = z.object({
  storeName: z.string().default('Our store'),
  storeUrl: z.string().default('https://shop.example.com'),
  logoUrl: z.string().nullable().default(null),
  /** Required by CAN-SPAM in every commercial email. */
  postalAddress: z.string().default('Example Store Ltd., 1 Example Street, 12345 Example City'),
  supportEmail: z.string().nullable().default(null),
  brandColor: z.string().default('#1f6f5c'),
  senderName: z.string().default('Our store'),
  senderAddress: z.string().default('hello@shop.example.com'),
  replyTo: z.string().nullable().default(null),
  /** What text messages come from: a number in E.164 or a name; null: the provider's account has a sender of its own. */
  smsSender: z.string().nullable().default(null),
  /** How text messages say that STOP ends them, with a keyword in capitals; null: the usual words in the language of the text. */
  smsOptOut: z.string().nullable().default(null),
  /** Text messages spell letters in the default alphabet where there is a usual spelling (`ç` as `c`, `Привет` as `Privet`), which doubles what a part holds. */
  smsTransliterate: z.boolean().default(false),
  /** Where links in text messages lead, on a domain of the store's that its proxy passes on to Rekindle; null: the installation's own address. */
  smsLinkUrl: z.string().nullable().default(null),
  locale: z.string().default('en'),
  timeZone: z.string().default('UTC'),
  /** ISO 3166-1 alpha-2, for phone numbers without a country code. */
  country: z.string().default('US'),
  /** ISO 4217, for amounts whose currency an event does not say; null: what they are worth is not known then. */
  currency: z.string().nullable().default(null),
  shippingNote: z.string().nullable().default(null),
  returnsNote: z.string().nullable().default(null),
  /** Local minutes since midnight between which nobody is contacted; null switches it off. */
  quietHours: z
    .object({ fromMinute: z.number().int(), toMinute: z.number().int() })
    .nullable()
    .default({ fromMinute: 21 * 60, toMinute: 8 * 60 }),
  /** Other quiet hours on single channels, by name; null switches them off there. */
  quietHoursOn: z.record(z.string(), z.object({ fromMinute: z.number().int(), toMinute: z.number().int() }).nullable()).default({}),
  /** Local dates, the last included, on which nobody is contacted. */
  blackoutDates: z.array(z.object({ from: z.string(), to: z.string() })).default([]),
  /** Texts and calls go out at the hours that the law allows where the person is. Off: the store sees to it by other means. */
  legalHours: z.boolean().default(true),
  /** All of them are kept. */
  caps: z.array(cap).default([
    { channel: null, most: 3, withinHours: 24 },
    { channel: null, most: 5, withinHours: 7 * 24 },
    { channel: 'sms', most: 3, withinHours: 7 * 24 },
    { channel: 'call', most: 2, withinHours: 7 * 24 },
  ]),
  /** Channels on which unknown consent is not enough (docs/rules.md#rule-14). */
  requireConsent: z.array(z.string()).default([...consentRequiredByDefault]),
  /** How the law of consent is read, where the country of the person is known and has one here (docs/rules.md#rule-31). */
  consentLaw: z.enum(consentReadings).default('off'),
  /** What a reply leads to where the sequence does not say (docs/rules.md#rule-21). */
  onReply: z.enum(replyPolicies).default('stop'),
  /** After how many hours a takeover ends by itself; null: only when somebody releases it. */
  takeoverHours: z.number().int().nullable().default(72),
  /** How many messages a minute leave that an outage has held up for more than ten minutes; null: as many as there are (docs/rules.md#rule-34). */
  catchUpPerMinute: z.number().int().nullable().default(600),
  /** STOP, START and HELP are answered where the provider does not do it (docs/rules.md#rule-120). */
  keywordAnswers: z.boolean().default(true),
  /** An opt-out on one channel closes all of them (rule 13). */
  optOutAllChannels: z.boolean().default(true),
  /** Lifetime value above which a customer is HIGH_VALUE. */
  highValueMinor: z.number().default(50_000),
  /** Stock at or below which an item is low. */
  lowStockAt: z.number().int().default(5),
  /** For how many hours a fact of a kind is stated where its source does not say; a kind that is left out has its usual time (`domain/facts/`). */
  factHours: z.record(z.string(), z.number().int()).default({}),
  /** Mean rating, 1 to 5, from which reviews are shown. */
  reviewsFrom: z.number().default(4),
  trackOpens: z.boolean().default(true),
  /** How the store wants to sound, for texts that a model writes; null: nothing is said. */
  brandVoice: z.string().nullable().default(null),
  /** Words that no text of a model may contain, and words that each must. */
  modelBannedWords: z.array(z.string()).default([]),
  modelRequiredWords: z.array(z.string()).default([]),
  /** Whether a person has to approve each text of a model before it goes out (docs/rules.md#rule-42). */
  modelApproval: z.boolean().default(false),
  /** For how many hours after a step is due it waits for that; then its template goes out (docs/rules.md#rule-42). */
  modelApprovalHours: z.number().int().default(4),
  /** What models may cost on a day (UTC), in the currency in which their provider is paid. */
  modelDailyBudget: z.number().default(5),
  /** What a million tokens cost, in the same currency. */
  modelPrices: z.object({ input: z.number(), output: z.number() }).default({ input: 2.5, output: 10 }),
  /** The winner of a test takes over for new enrollments by itself; else it is a suggestion (docs/rules.md#rule-76). */
  winnersTakeOver: z.boolean().default(false),
  /** An arm of a test that does harm for certain is taken out by itself; else it is shown, and wins nothing (docs/rules.md#rule-124). */
  guardrailsStop: z.boolean().default(true),
  /** Steps that wait for the best hour go by the hours that were learned; a fixed share of people keeps random ones. */
  learnedHours: z.boolean().default(false),
  /** On what conditions a step that asks for one brings a discount; null: never (docs/rules.md#rule-47). */
  offers: offerPolicy.nullable().default(null),
  /** How long before an order a message may be credited with it, and after how long it weighs half, in days (docs/rules.md#rule-103). */
  attribution: z.object({ windowDays: z.number(), halfLifeDays: z.number() }).default({ windowDays: 30, halfLifeDays: 7 }),
  /** What one unit of other currencies is worth in the store's, as the store states it; without one, amounts stay apart. */
  exchangeRates: z.record(z.string(), z.number()).default({}),
  /** After how many hours without an answer a lead reaches each stage of silence (docs/rules.md#rule-62). `24h` is reached beyond its hours. */
  silenceHours: z
    .object({ '24h': z.number(), '3d': z.number(), '7d': z.number(), '14d': z.number(), '30d': z.number() })
    .default({ ...usualSilenceHours }),
  /** How many minutes lie between two sweeps for missed leads, silent ones and those that left a chat; null: as few as the installation's (docs/rules.md#rule-62). */
  silentSweepMinutes: z.number().int().nullable().default(null),
  ghostSweepMinutes: z.number().int().nullable().default(null),
  /** How many leads such a sweep examines at most in this store; null: as many as the installation says. */
  silentSweepMost: z.number().int().nullable().default(null),
  ghostSweepMost: z.number().int().nullable().default(null),
  /** What is predicted about accounts that are active, and within how many days (docs/rules.md#rule-82). */
  riskPrediction: z
    .object({ what: z.enum(['no_purchase', 'no_answer']), withinDays: z.number().int() })
    .default({ what: 'no_purchase', withinDays: 60 }),
  /** Where the bands of risk begin; a border belongs to the band above it. */
  riskBands: z.object({ early: z.number(), active: z.number(), critical: z.number() }).default({ early: 0.3, active: 0.6, critical: 0.8 }),
  /** What interventions cost, in decimals of major units; what is left out is unknown, and counts as nothing nowhere (docs/rules.md#rule-97). */
  interventionCosts: z
    .object({
      messages: z.record(z.string(), price).default({}),
      peoplePerHour: price.nullable().default(null),
      minutes: z.object({ agent_call: z.number().int(), assignment: z.number().int(), escalation: z.number().int() }).default({ ...usualMinutes }),
      modelCurrency: z.string().nullable().default(null),
    })
    .default({ messages: {}, peoplePerHour: null, minutes: { ...usualMinutes }, modelCurrency: null }),
  /** How many more accounts stay because of an intervention, as a share, where nothing was measured; null: nobody says. */
  interventionEffects: z
    .object({ early: z.number().nullable(), active: z.number().nullable(), critical: z.number().nullable() })
    .default({ early: null, active: null, critical: null }),
  /** For how many days what an account does counts for the action before it. */
  interventionWindowDays: z.number().int().default(14),
  /** Percent of the people whose accounts get interventions (docs/rules.md#rule-98). */
  interventionRollout: z.number().default(100),
  /** Who does the store's work, for tasks that look for an owner (docs/rules.md#rule-84). */
  workTargets: z
    .array(
      z.object({
        name: z.string(),
        role: z.enum(['agent', 'manager']),
        skills: z.array(z.string()).default([]),
        onDuty: z
          .object({ fromMinute: z.number(), toMinute: z.number(), days: z.array(z.string()) })
          .nullable()
          .default(null),
      }),
    )
    .default([]),
  /** How a task's owner is chosen: by turns, or the member with the fewest open tasks. */
  workRule: z.enum(targetRules).default('round_robin'),
  /**
   * After how many minutes the owner of an overdue task is reminded, each once, and after how many it goes to the next one; null: it stays. `order`: to whom,
   * by name; empty: to managers, by the rule above (docs/rules.md#rule-119).
   */
  overdueTasks: z
    .object({ remindMinutes: z.array(z.number().int()), passOnMinutes: z.number().int().nullable(), order: z.array(z.string()) })
    .default({ remindMinutes: [0, 30], passOnMinutes: 60, order: [] }),
  /** From which figures on the store is warned (docs/rules.md#rule-100). */
  alarms: z
    .object({
      latencySeconds: z.number().nullable().default(usualThresholds.latencySeconds),
      successShare: z.number().nullable().default(usualThresholds.successShare),
      escalationShare: z.number().nullable().default(usualThresholds.escalationShare),
      failuresPerHour: z.number().nullable().default(usualThresholds.failuresPerHour),
      backlog: z.number().nullable().default(usualThresholds.backlog),
      minutes: z.number().default(usualThresholds.minutes),
    })
    .default(usualThresholds),
  /** The Telegram chat that gets alerts about hot leads. A chat registers itself with a one-time code (`/set_admin CODE`); null: none has. */
  adminChatId: z.string().nullable().default(null),
  /** For how many days what is kept; null: for good (docs/rules.md#rule-75). */
  retention: z
    .object({
      inboundDays: keptDays,
      messageDays: keptDays,
      enrollmentDays: keptDays,
      assessmentDays: keptDays.default(usualRetention.assessmentDays),
      eventDays: keptDays,
      auditDays: keptDays,
      anonymousCartDays: keptDays,
    })
    .default({ ...usualRetention }),
  /** Where a cart must have been filled to start a sequence. A cart whose origin is unknown does. */
  recoverFrom: z.array(z.enum(cartOrigins)).default(['web']),
  /** How many requests each API key may make in a minute, unless the key says otherwise (docs/rules.md#rule-92). */
  requestsPerMinute: z.number().int().default(6_000),
  /** Kinds of keys that mean the same subject at several connections of the store, e.g. `cart_token` at its shop and `external` at its own system. */
  sharedKeys: z.array(z.object({ connections: z.array(z.string()), kinds: z.array(z.string()) })).default([]),
});
export type TenantSettings = z.infer<typeof tenantSettings>;

const read = new WeakMap<object, TenantSettings>();

/** A tenant's settings as they are stored, with the defaults of what is not. Read once for each object: a delivery asks for them several times. */
export function settingsOf({ settings }: { settings: unknown }): TenantSettings {
  if (typeof settings !== 'object' || settings === null) return tenantSettings.parse(settings);
  const known = read.get(settings) ?? tenantSettings.parse(settings);
  read.set(settings, known);
  return known;
}

/** The store's own addresses, normalised: its sender, support and reply addresses. They name no person. */
export function ownAddressesOf({
  senderAddress,
  supportEmail,
  replyTo,
}: Pick<TenantSettings, 'senderAddress' | 'supportEmail' | 'replyTo'>): string[] {
  return [senderAddress, supportEmail, replyTo].map((address) => normaliseEmail(address)).filter((address) => address !== null);
}

/** What a store begins with as an example, and has to state before it writes to anybody. */
const toBeStated = ['storeName', 'storeUrl', 'postalAddress', 'senderName', 'senderAddress'] as const;

/** Settings that are still the example. */
export function examplesIn(settings: TenantSettings): string[] {
  const examples = tenantSettings.parse({});
  return toBeStated.filter((name) => settings[name] === examples[name]);
}
