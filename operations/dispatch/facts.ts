import { isUsableFor } from '../../domain/people/browser-identity.ts';
import { and, desc, eq, inArray, isNotNull, sql } from 'drizzle-orm';
import type { SubjectFacts } from '../../content/copy-facts.ts';
import type { StoredScript } from '../../content/step-texts.ts';
import { callFunction, type Tx } from '../../db/client.ts';
import { rowOf, type StoredRow } from '../../db/row-of.ts';
import { contactIdentities, contacts, conversionRules, enrollments, messages, subjects, suppressions, tenants } from '../../db/schema/index.ts';
import {
  addressKindsOf,
  type CallConfiguration,
  consentChannelOf,
  channelNames,
  channels,
  type Channel,
  isChannel,
  readCallConfiguration,
  type WhatsappForm,
} from '../../domain/channels/index.ts';
import { bestHourOf } from '../../domain/gates/best-hour.ts';
import { randomHoursShare } from '../../domain/learning/hours.ts';
import type { ChannelFacts, Facts, SendRecord, UpcomingRecord } from '../../domain/gates/facts.ts';
import { nextStepOf } from '../../domain/gates/upcoming.ts';
import type { ClaimWorld } from '../../domain/claims/claim.ts';
import type { ClaimName } from '../../domain/claims/index.ts';
import { type Fact, factKinds, type FactOf } from '../../domain/facts/index.ts';
import { foldedText } from '../../domain/facts/kind.ts';
import { wholeStore } from '../../domain/facts/offer-end.ts';
import type { Identity } from '../../domain/people/choose-contact.ts';
import { type ConsentStatement, foldConsent } from '../../domain/people/consent.ts';
import { type Engagement, type OwnOrders, withOwnOrders } from '../../domain/people/purchases.ts';
import { baseSegment, type PurchaseHistory } from '../../domain/people/segments.ts';
import { stateOfAreaCode } from '../../domain/people/area-codes.ts';
import { countryOfPhone } from '../../domain/people/identity.ts';
import { lastContactOf } from '../../domain/people/silence.ts';
import { countryOfAddress, type PersonZones, zonesOfPerson } from '../../domain/people/time-zone.ts';
import { compilePlan } from '../../domain/sequence/compile-plan.ts';
import type { SequenceDefinition, StepDefinition } from '../../domain/sequence/definition.ts';
import { formsOf, stepOfVariant } from '../../domain/sequence/step-of-variant.ts';
import { scaled } from '../../domain/sequence/time-scale.ts';
import { dueAt } from '../../domain/sequence/due.ts';
import type { Plan, Progress, StopReason } from '../../domain/sequence/plan.ts';
import { attributesOf } from '../../domain/subjects/attributes.ts';
import type { CampaignStatus } from '../../domain/campaigns/campaign.ts';
import type { Rate } from '../../domain/rate.ts';
import type { WeeklyWindow } from '../../domain/time/weekly-window.ts';
import type { SubjectKinds } from '../../domain/subjects/index.ts';
import { type TenantSettings, settingsOf } from '../../domain/tenant-settings.ts';
import { maybe, text } from '../intake/stored-rows.ts';
import { latestFacts } from '../facts.ts';
import type { Sealing } from '../sealing.ts';
import { readSubject } from '../subject-row.ts';
import { type Assignment, pointOf, readAssignment } from './assignment.ts';
import type { StoredTest } from './campaign-test.ts';
import { openChannels } from './open-channels.ts';
import { type EnrollmentRow, type LedgerRow, readProgress } from './progress.ts';
import { type ChosenArm, type ChosenVariant, readArm, readVariant } from './variant.ts';
import { messageAsIdentity } from './records.ts';
import type { Version } from './versions.ts';

/** Everything that was read under the locks: the facts of the decision, and what the message is composed from (with personal data). */
export interface Reading {
  facts: Facts;
  /** To be stored with the activation. */
  assignment: Assignment | null;
  /** What the person gets of this step; null: it has one content. */
  variant: ChosenVariant | null;
  /** The course that the person takes; null: the sequence compares none. */
  arm: ChosenArm | null;
  progress: Progress;
  settings: TenantSettings;
  /** At which rate its campaign sends; null: it is in none, or that has no limit of its own. */
  campaignRate: { id: string; rate: Rate } | null;
  /** How its campaign makes its calls; null: it is in none, or that does not say. */
  campaignCall: Partial<CallConfiguration> | null;
  synthetic: boolean;
  subject: SubjectFacts;
  person: typeof contacts.$inferSelect;
  /** What they have bought, by their shop and by its orders. */
  purchases: PurchaseHistory;
  /** The language and region that they read in, BCP 47; null: not known. */
  locale: string | null;
  /** Channels on which something went to the person before, or may have. */
  usedChannels: ReadonlySet<string | null>;
  /**
   * By channel, the address that a message goes to: the one that the subject was left with, while it is the person's and usable; else the
   * contact's own, then the newest of the person.
   */
  addresses: Partial<Record<Channel, string>>;
}

/** What `read_step_2` knows, in the shapes of the schema. Identities in the order in which they are tried as addresses. */
export interface StepWorld {
  tenant: typeof tenants.$inferSelect;
  subject: typeof subjects.$inferSelect;
  /** Whether its whole sequence is paused. */
  paused: boolean;
  /** What it began in; null: in no campaign. */
  campaign: StepCampaign | null;
  /** The scripts that its step may use without naming one. */
  scripts: StoredScript[];
  /** The tests of its campaign's scripts, or winners of theirs: the latest of each channel. */
  tests: StoredTest[];
  /** What becomes of those who run on its version at their next decision; null: they stay. */
  move: VersionMove | null;
  /** Every contact of the person. */
  contacts: (typeof contacts.$inferSelect)[];
  identities: (typeof contactIdentities.$inferSelect)[];
  /** The latest statement of each kind on a channel. */
  consents: (ConsentStatement & { channel: string })[];
  /** What went out to the person in other enrollments: the latest of each channel, and all of the last 31 days. */
  sends: { channel: string | null; atMs: number; step: string }[];
  /** Other enrollments of the person that run and are not held, with their ledgers. */
  others: { enrollment: EnrollmentRow; ledger: LedgerRow[] }[];
}

/**
 * Read what the gates ask. Sent behind `lockStep`, so that it is read under the person's lock: one statement that waits for a lock still
 * sees the other rows as they were before the wait.
 */
export async function readStep(tx: Tx, enrollmentId: string): Promise<StepWorld | null> {
  const stored = await callFunction<
    Record<'tenant' | 'subject', StoredRow> &
      Record<'contacts' | 'identities' | 'consents' | 'sends', StoredRow[]> & {
        others: StoredOther[];
        sequence: { paused: boolean };
        campaign?: StepCampaign | null;
        scripts?: StoredScript[];
        tests?: (Omit<StoredTest, 'resolvedAtMs'> & { resolvedAt: string | null })[];
        move: VersionMove | null;
      }
  >(tx, 'read_step_2($1)', [enrollmentId]);
  if (stored === null) return null;
  return {
    tenant: rowOf(tenants, stored.tenant),
    subject: rowOf(subjects, stored.subject),
    paused: stored.sequence.paused,
    campaign: stored.campaign ?? null,
    scripts: stored.scripts ?? [],
    tests: (stored.tests ?? []).map(({ resolvedAt, ...test }) => ({ ...test, resolvedAtMs: resolvedAt === null ? null : Date.parse(resolvedAt) })),
    // An end of the campaign ends everybody in it, whatever becomes of the version.
    move: stored.campaign?.status === 'ENDED' ? { to: null, reason: 'campaign_ended' } : stored.move,
    contacts: stored.contacts.map((row) => rowOf(contacts, row)),
    identities: stored.identities.map((row) => rowOf(contactIdentities, row)),
    consents: stored.consents.map((row) => ({
      channel: text(row, 'channel'),
      state: row['state'] as ConsentStatement['state'],
      basis: row['basis'] as ConsentStatement['basis'],
      atMs: Date.parse(text(row, 'at')),
    })),
    sends: stored.sends.map((row) => ({ channel: maybe<string>(row, 'channel'), atMs: Date.parse(text(row, 'at')), step: text(row, 'step') })),
    others: stored.others.map(({ enrollment, ledger }) => ({
      enrollment: rowOf(enrollments, enrollment),
      ledger: ledger.map((row) => rowOf(messages, row)),
    })),
  };
}

/** What a campaign asks of its messages. */
export interface StepCampaign {
  id: string;
  status: CampaignStatus;
  schedule: WeeklyWindow | null;
  rate: Rate | null;
  call: Record<string, unknown> | null;
}

/** Another version, or an end: one of the two is null. */
export interface VersionMove {
  to: string | null;
  reason: StopReason | null;
}

interface StoredOther {
  enrollment: StoredRow;
  ledger: StoredRow[];
}

export interface ReadingInput {
  world: StepWorld;
  plan: Plan;
  definition: SequenceDefinition;
  enrollment: EnrollmentRow;
  personId: string;
  ledger: LedgerRow[];
  stepId: string;
  /** Whether messages of a channel can leave, and the version has a text of that name for them. */
  isConnected(channel: Channel, content: string | null): boolean;
  kinds: SubjectKinds;
  /** What the texts of that name claim. */
  claimsIn(content: string | null): readonly ClaimName[];
  /** The forms that the text of that name has by WhatsApp, in the language that is read in these locales; absent: both. */
  whatsappForms?(content: string | null, locales: readonly (string | null)[]): readonly WhatsappForm[];
  /** The versions of the person's other running enrollments. */
  versionOf(versionId: string): Promise<Version>;
}

/** The facts of a decision, from what was read under the locks, and which of the person's addresses are closed. */
export async function readFacts(tx: Tx, sealing: Sealing, input: ReadingInput): Promise<Reading> {
  const { enrollment, personId, definition } = input;
  const { contacts: everyone, identities, others } = input.world;
  const hashOf = (i: Identity) => sealing.addressHash(enrollment.tenantId, i.kind, i.value);
  const hashes = [...identities, messageAsIdentity({ enrollmentId: enrollment.id, stepId: input.stepId })].map(hashOf);
  const contactIds = everyone.map((c) => c.id);
  const [blocked, customer] = await Promise.all([
    tx
      .select({ channel: suppressions.channel, hash: suppressions.addressHash, reason: suppressions.reason })
      .from(suppressions)
      .where(and(inArray(suppressions.addressHash, hashes), sql`lifted_at is null`)),
    readCustomer(tx, contactIds),
  ]);
  const assignment = await readAssignment(tx, enrollment, { personId, contactIds, holdoutPercent: definition.holdoutPercent });
  const step = definition.steps.find(({ id }) => id === input.stepId);
  const variant = step === undefined ? null : await readVariant(tx, enrollment, { personId, contactIds, step });
  const arm = await readArm(tx, enrollment.sequenceId, { personId, contactIds, definition });
  const versions = new Map<string, Version>();
  for (const { enrollment: other } of others) versions.set(other.versionId, await input.versionOf(other.versionId));
  const stated = await readStated(
    tx,
    input,
    step === undefined ? [] : claimsOfStep(step, input.claimsIn(stepOfVariant(step, variant?.variant).content)),
  );
  const wantsHour = definition.steps.find((s) => s.id === input.stepId)?.bestHour === true;
  return factsFrom(input, {
    hashOf,
    blocked,
    assignment,
    variant,
    arm,
    versions,
    stated,
    customer,
    engagedAtMs: wantsHour ? await readEngagement(tx, contactIds) : [],
    hours: wantsHour && settingsOf(input.world.tenant).learnedHours ? await readHours(tx, input) : null,
  });
}

const claimsOfStep = ({ requires }: StepDefinition, made: readonly ClaimName[]): readonly ClaimName[] =>
  requires === undefined || made.includes(requires.claim) ? made : [...made, requires.claim];

/** What is stated about the subject, as far as the claims ask. */
export async function readStated(tx: Tx, { world, kinds }: Pick<ReadingInput, 'world' | 'kinds'>, claims: readonly ClaimName[]): Promise<Stated> {
  if (claims.length === 0) return nothingStated;
  const { kind, subject } = readSubject(kinds, world.subject);
  const about = kind.claimable?.of(subject.details) ?? { products: [], areas: [] };
  const subjects = [wholeStore, ...about.products.flatMap(({ ids }) => ids), ...about.areas.map(foldedText)];
  const facts = await latestFacts(tx, { subjects, ofSubjectId: world.subject.id });
  if (!claims.includes('price_drop')) return { facts, before: [] };
  const then = await latestFacts(tx, { subjects, ofSubjectId: world.subject.id, untilMs: world.subject.lastActivityAt });
  return { facts, before: then.filter((fact) => fact.kind === 'price') };
}

/** What sources have stated: the latest, and the prices at the time when the subject was left. */
interface Stated {
  facts: readonly Fact[];
  before: readonly FactOf<'price'>[];
}

const nothingStated: Stated = { facts: [], before: [] };

/** What the subject itself says, with the usual lifetime of its kind, and what others state. */
function claimWorldOf(
  { kind, details, currency }: SubjectFacts,
  row: StepWorld['subject'],
  settings: TenantSettings,
  { facts, before }: Stated,
): Omit<ClaimWorld, 'thresholds'> {
  const { products, areas } = kind.claimable?.of(details) ?? { products: [], areas: [] };
  const observedAtMs = row.lastActivityAt;
  const expiresAtMs = observedAtMs + (settings.factHours['stock'] ?? factKinds.stock.usualHours) * 3_600_000;
  // Its own lines are known by their place: two variants of one product may have the same id.
  const lineOf = (index: number) => `${row.id}#${index}`;
  const named = products.map((product, index) => ({ ...product, ids: [...product.ids, lineOf(index)] }));
  const own = products.flatMap(({ stock }, index): Fact[] =>
    stock === null || !Number.isSafeInteger(stock) || stock < 0
      ? []
      : [{ id: row.id, kind: 'stock', subject: lineOf(index), value: { left: stock }, source: row.kind, observedAtMs, expiresAtMs }],
  );
  return { products: named, areas, facts: [...facts, ...own], before, currency, leftAtMs: observedAtMs };
}

/** When they opened or clicked emails, the latest first. */
async function readEngagement(tx: Tx, contactIds: readonly string[]): Promise<number[]> {
  const rows = await tx
    .select({ openedAt: messages.openedAt, clickedAt: messages.clickedAt })
    .from(messages)
    .where(and(inArray(messages.contactId, [...contactIds]), eq(messages.channel, 'email'), isNotNull(messages.openedAt)))
    .orderBy(desc(messages.openedAt))
    .limit(mostEngagements);
  return rows.flatMap(({ openedAt, clickedAt }) => [openedAt, clickedAt === openedAt ? null : clickedAt]).filter((atMs) => atMs !== null);
}

/** The hours that were learned, and whether this person keeps random ones: the same share of people for good, drawn anew for each message. */
async function readHours(tx: Tx, { enrollment, stepId, personId }: Pick<ReadingInput, 'enrollment' | 'stepId' | 'personId'>): Promise<Hours> {
  const learned = await tx
    .select({ channel: conversionRules.channel, day: conversionRules.day, hour: conversionRules.hour })
    .from(conversionRules)
    .where(isNotNull(conversionRules.preferredAt));
  const isRandom = pointOf(`${enrollment.tenantId}\nhours`, personId) < randomHoursShare;
  return { learned, random: isRandom ? pointOf(`${enrollment.id}\n${stepId}\nhour`, personId) : null };
}

type Hours = NonNullable<Facts['person']['hours']>;

/** Of one person; more say nothing new. */
const mostEngagements = 200;

/** Beyond what their shop says of them. */
export interface Customer {
  orders: readonly OwnOrders[];
  engagement: readonly Engagement[];
  settingsVersion: number;
}

/** What is on record about a person's orders and messages, and the version of the settings. */
export async function readCustomer(tx: Tx, contactIds: readonly string[]): Promise<Customer> {
  const stored = await callFunction<{
    orders: { currency: string; orders: number; net_minor: number }[];
    engagement: Engagement[];
    settings_version: number;
  }>(tx, 'read_customer($1)', [contactIds]);
  const orders = stored.orders.map(({ net_minor: netMinor, ...order }) => ({ ...order, netMinor }));
  return { orders, engagement: stored.engagement, settingsVersion: stored.settings_version };
}

/** What is read beside the world of a step. */
export interface BesidesWorld {
  hashOf(identity: Identity): string;
  /** Suppressions in force for any of the identities, and for the message itself. */
  blocked: readonly { channel: string; hash: string; reason: string }[];
  assignment: Assignment | null;
  /** Absent: which content goes out is not asked. */
  variant?: ChosenVariant | null;
  /** Absent or null: the sequence compares no courses. */
  arm?: ChosenArm | null;
  /** Those of the person's other running enrollments. */
  versions: ReadonlyMap<string, Version>;
  /** What is stated about the subject; absent: nothing is known but what it says itself. */
  stated?: Stated;
  /** Absent: what their shop says is all that is known. */
  customer?: Partial<Customer> & Pick<Customer, 'orders'>;
  /** When the person opened or clicked emails; empty where nobody asks. */
  engagedAtMs?: readonly number[];
  /** null or absent: the store does not go by what was learned, or the step waits for no hour. */
  hours?: Hours | null;
}

/** The facts of a decision from what is on record. Pure: a backtest draws them from history by the same function. */
export function factsFrom(
  input: Omit<ReadingInput, 'versionOf'>,
  {
    hashOf,
    blocked,
    assignment,
    variant = null,
    arm = null,
    versions,
    stated = nothingStated,
    customer,
    engagedAtMs = [],
    hours = null,
  }: BesidesWorld,
): Reading {
  const { plan, definition, enrollment, personId, ledger, stepId } = input;
  const { tenant, subject, contacts: everyone, consents: said } = input.world;
  const identities = input.world.identities.filter((identity) => isUsableFor(identity, subject.id));
  const person = everyone.find((c) => c.id === personId);
  const contact = everyone.find((c) => c.id === enrollment.contactId);
  if (person === undefined || contact === undefined) throw new Error('an enrollment without its rows');
  const settings = settingsOf(tenant);
  const { kind, subject: known } = readSubject(input.kinds, subject);
  const about: SubjectFacts = { kind, details: known.details, valueMinor: known.valueMinor, currency: known.currency };
  const row = ledger.find((m) => m.stepId === stepId);
  const thisMessage = messageAsIdentity({ enrollmentId: enrollment.id, stepId });
  const progress = readProgress(enrollment, ledger);
  const written = definition.steps.find((s) => s.id === stepId);
  if (written === undefined || !plan.steps.some((s) => s.id === stepId))
    throw new Error(`version ${plan.version} of ${plan.sequence} has no step ${stepId}`);

  const step = stepOfVariant(written, variant?.variant);
  const laterMs = variant?.variant.laterMs;
  const made = input.claimsIn(step.content);
  const forms = step.channels.includes('whatsapp')
    ? input.whatsappForms?.(step.content, [firstOf([contact, person, ...everyone], 'locale'), settings.locale])
    : undefined;
  const asksClaims = made.length > 0 || step.requires !== undefined;
  const open = openChannels(identities, blocked, hashOf);
  const usable: Partial<Record<Channel, typeof identities>> = {};
  for (const channel of channelNames) usable[channel] = open.usable(channel, identities);
  const channelFacts = (channel: Channel): ChannelFacts => {
    const kinds = addressKindsOf(channel);
    const noneIsUsable = usable[channel]?.length === 0;
    const hasAddress = kinds.length === 0 || !noneIsUsable || identities.some((i) => kinds.some((kind) => kind === i.kind));
    const noneUsable = kinds.length > 0 && hasAddress && noneIsUsable;
    return {
      connected: input.isConnected(channel, contentOn(written, step, channel)),
      hasAddress,
      suppressed: open.isClosed(channel) || noneUsable,
      suppressedBy: open.reasonsOf(channel),
      consent: said.length === 0 ? 'unknown' : foldConsent(said.filter((c) => c.channel === consentChannelOf(channel) || c.channel === 'all')),
      requiresConsent: settings.requireConsent.includes(channel),
      refused: open.isAddressClosed(channel, thisMessage) || (noneUsable && row?.refusedForGood === true && row.channel === channel),
    };
  };
  const own = ledger
    .filter((m) => m.stepId !== stepId && wentOut(m))
    .map(
      (m): SendRecord => ({
        channel: m.channel,
        atMs: m.settledAt ?? m.claimedAt ?? m.createdAt,
        // Not of this version: it went out before the enrollment was moved to it.
        dueMs: plan.steps.some(({ id }) => id === m.stepId) ? dueAt(plan, progress, m.stepId) : m.dueAt,
        step: `${plan.sequence}/${m.stepId}`,
      }),
    );
  const elsewhere = input.world.sends.map((s): SendRecord => ({ ...s, dueMs: null }));
  const sends = [...own, ...elsewhere].sort((a, b) => b.atMs - a.atMs);

  const purchases = withOwnOrders(contact, customer?.orders ?? [], settings.currency);
  const channelFactsByName: Facts['channels'] = {};
  for (const channel of channelNames) channelFactsByName[channel] = channelFacts(channel);
  // Plain literals, and what may be absent behind them: this is the hot path of backtests.
  const stepFacts: Facts['step'] = {
    id: stepId,
    when: step.when ?? null,
    // A call in doubt is repeated on its own channel or not at all.
    channels: row?.state === 'unknown' && isChannel(row.channel) ? [row.channel] : step.channels,
    refusals: row !== undefined && isChannel(row.channel) ? { [row.channel]: row.refusals } : {},
    maxRetries: step.maxRetries ?? 3,
    onFailure: step.onFailure ?? 'skip',
    window: step.window ?? null,
    failures: row?.failures ?? 0,
  };
  if (step.bestHour === true) stepFacts.bestHour = true;
  if (laterMs !== undefined) stepFacts.laterMs = scaled(laterMs, plan.timeScale);
  if (step.offer !== undefined) stepFacts.offer = step.offer;
  if (forms !== undefined) stepFacts.whatsappForms = forms;
  const sequence: Facts['sequence'] = { paused: input.world.paused, exit: input.world.move?.reason ?? null };
  if (definition.only !== undefined) sequence.only = definition.only;
  const subjectFacts: Facts['subject'] = {
    state: subject.state,
    boughtBy: about.kind.boughtBy,
    isInquiry: about.kind.isInquiry === true,
    lastActivityMs: subject.lastActivityAt,
    valueMinor: about.valueMinor,
    currency: about.currency,
    segment: baseSegment(purchases, settings),
    modifiers: about.kind.modifiers(about.details, settings),
    stock: about.kind.stock(about.details),
  };
  if (about.kind.silentTrigger !== undefined) subjectFacts.lastContactMs = lastContactOf(subject, everyone);
  const { campaign } = input.world;
  const inOrder = [contact, person, ...everyone];
  const locale = firstOf(inOrder, 'locale');
  const zones = zonesFrom(input.world, contact, person, settings.timeZone);
  const facts: Facts = {
    plan,
    progress,
    step: stepFacts,
    enrollment: { id: enrollment.id, ended: enrollment.endedAt === null ? null : (enrollment.stopReason ?? 'completed') },
    sequence,
    subject: subjectFacts,
    attributes: attributesOf(
      about.kind,
      about.details,
      {
        country: firstOf(inOrder, 'country'),
        region: firstOf(inOrder, 'region'),
        language: locale?.split(/[-_]/, 1)[0] ?? null,
        orders: purchases.orderCount,
        hasPhone: identities.some((i) => i.kind === 'phone'),
      },
      { viewingScheduled: subject.viewingScheduledAt !== null, ghostReminderSent: subject.ghostReminderSent },
    ),
    person: {
      contacts: everyone.map((c) => ({
        lifecycle: c.lifecycle,
        lastOrderMs: c.lastOrderAt,
        lastReplyMs: c.lastReplyAt,
        lastWhatsappMs: c.lastWhatsappAt,
        lastSeenMs: c.lastSeenAt,
        takenOver: c.takenOverAt === null ? null : { untilMs: c.takenOverUntil },
      })),
      sends,
      upcoming: upcomingOf(input.world.others, versions, channelFactsByName),
      zones,
      ...(step.bestHour === true ? { bestHour: bestHourOf(engagedAtMs, zones.timeZones[0] ?? settings.timeZone) } : {}),
      ...(hours === null ? {} : { hours }),
    },
    holdout: assignment?.holdout ?? null,
    channels: channelFactsByName,
    messages: messageFactsOf(ledger, settings),
    settings,
  };
  if (arm !== null) facts.arm = arm.id;
  if (campaign !== null) facts.campaign = { paused: campaign.status === 'PAUSED', schedule: campaign.schedule };
  if (customer?.engagement !== undefined && customer.settingsVersion !== undefined) {
    const { engagement, settingsVersion } = customer;
    facts.customer = { lifetimeValueMinor: purchases.lifetimeValueMinor, engagement, settingsVersion };
  }
  if (asksClaims) facts.claims = { made, required: step.requires?.claim ?? null, known: claimWorldOf(about, subject, settings, stated) };
  const ownAddresses: (string | null)[] = [subject.email, subject.phone];
  const addresses: Reading['addresses'] = {};
  for (const channel of channelNames) {
    const chosen = usable[channel]?.find((i) => ownAddresses.includes(i.value)) ?? usable[channel]?.[0];
    if (chosen !== undefined) addresses[channel] = chosen.value;
  }
  const usedChannels = new Set(sends.map((s) => s.channel));
  const { synthetic } = tenant;
  const campaignRate = campaign === null || campaign.rate === null ? null : { id: campaign.id, rate: campaign.rate };
  return {
    facts,
    assignment,
    variant,
    arm,
    progress,
    settings,
    campaignRate,
    campaignCall: campaign === null ? null : readCallConfiguration(campaign.call),
    synthetic,
    subject: about,
    person: contact,
    purchases,
    locale,
    usedChannels,
    addresses,
  };
}

/** What would go out on a channel: on one that is of other variants alone, the text of the first of these. Whom any of them reaches is asked before somebody counts. */
function contentOn(written: StepDefinition, step: StepDefinition, channel: Channel): string | null {
  if (step === written || step.channels.includes(channel)) return step.content;
  return (formsOf(written).find(({ channels: own }) => own.includes(channel)) ?? step).content;
}

/** What became of each message. Clicks come through our own links, and a click is an open. Opens alone come through a picture, where the channel and the tenant have one. */
function messageFactsOf(ledger: readonly LedgerRow[], settings: TenantSettings): Facts['messages'] {
  const messageFacts: Facts['messages'] = {};
  for (const m of ledger) {
    const sentAtMs = m.state === 'sent' || m.state === 'unknown' ? (m.settledAt ?? m.claimedAt) : null;
    const tellsOpens = settings.trackOpens && isChannel(m.channel) && channels[m.channel].tellsOpens === true;
    const opened = m.openedAt !== null ? true : tellsOpens ? false : null;
    messageFacts[m.stepId] = { sentAtMs, opened, clicked: m.clickedAt !== null };
  }
  return messageFacts;
}

/** What the first contact says that says anything: a merge leaves each with its own. */
const firstOf = (everyone: readonly (typeof contacts.$inferSelect)[], field: 'country' | 'region' | 'locale') =>
  everyone.find((c) => c[field] !== null)?.[field] ?? null;

/** The next steps of the person's other enrollments, as their workflows see them. */
function upcomingOf(others: StepWorld['others'], versions: BesidesWorld['versions'], channelFacts: Facts['channels']): UpcomingRecord[] {
  return others.flatMap(({ enrollment, ledger }) => {
    const known = versions.get(enrollment.versionId);
    if (known === undefined) throw new Error(`version ${enrollment.versionId} was not read`);
    const plan = compilePlan(known.definition, known.version, enrollment.timeScale);
    const next = nextStepOf(plan, readProgress(enrollment, ledger), enrollment.id, channelFacts);
    // One that is on its way is among the sends.
    return next.filter(({ stepId }) => !ledger.some((m) => m.stepId === stepId && m.state === 'claimed'));
  });
}

// A backtest asks again and again about the same people.
const zonesBefore = new WeakMap<
  StepWorld['identities'],
  { contacts: StepWorld['contacts']; contactId: string; storeTimeZone: string; zones: PersonZones }
>();

function zonesFrom(
  world: StepWorld,
  contact: StepWorld['contacts'][number],
  person: StepWorld['contacts'][number],
  storeTimeZone: string,
): PersonZones {
  const { contacts: everyone, identities } = world;
  const before = zonesBefore.get(identities);
  if (before?.contacts === everyone && before.contactId === contact.id && before.storeTimeZone === storeTimeZone) return before.zones;
  const zones = zonesOf([contact, person, ...everyone], identities, storeTimeZone);
  zonesBefore.set(identities, { contacts: everyone, contactId: contact.id, storeTimeZone, zones });
  return zones;
}

/** The zones of the first contact whose location is known; the phone numbers are the whole person's. */
function zonesOf(known: readonly (typeof contacts.$inferSelect)[], identities: StepWorld['identities'], storeTimeZone: string): PersonZones {
  const number = identities.find((i) => i.kind === 'phone' && countryOfPhone(i.value) !== null)?.value ?? null;
  const phone = number === null ? { phoneCountry: null } : { phoneCountry: countryOfPhone(number), phoneRegion: stateOfAreaCode(number) };
  const located = known.find((c) => isSomewhere(c) && zonesOfPerson({ ...whereaboutsOf(c), phoneCountry: null }, storeTimeZone).basis !== 'store');
  const numbers = identities.filter((i) => i.kind === 'phone').map((i) => countryOfPhone(i.value));
  const countries = [...known.map((c) => countryOfAddress(whereaboutsOf(c))), ...numbers].filter((country) => country !== null);
  return { ...zonesOfPerson({ ...whereaboutsOf(located), ...phone }, storeTimeZone), countries: [...new Set(countries)] };
}

const isSomewhere = ({ timeZone, country, region }: typeof contacts.$inferSelect) => timeZone !== null || country !== null || region !== null;
const whereaboutsOf = (contact: typeof contacts.$inferSelect | undefined) => ({
  timeZone: contact?.timeZone ?? null,
  country: contact?.country ?? null,
  region: contact?.region ?? null,
});

/** It was accepted, or may have been. */
const wentOut = ({ state }: LedgerRow) => state === 'sent' || state === 'unknown' || state === 'claimed';
