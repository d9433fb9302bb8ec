import { and, desc, eq, sql } from 'drizzle-orm';
import type { Tx } from '../db/client.ts';
import {
  consents,
  contactIdentities,
  contacts,
  enrollments,
  messages,
  sequences,
  sequenceVersions,
  subjects,
  suppressions,
  tenants,
} from '../db/schema/index.ts';
import { type ClaimName, claimNames } from '../domain/claims/index.ts';
import { type Channel, channelNames } from '../domain/channels/index.ts';
import type { ChannelFacts, ContactRecord, Facts } from '../domain/gates/facts.ts';
import { isClosed } from '../domain/people/lifecycle.ts';
import type { ConsentStatement } from '../domain/people/consent.ts';
import { normaliseEmail } from '../domain/people/identity.ts';
import { rehearse } from '../domain/rehearsal/rehearse.ts';
import { parseScenario } from '../domain/rehearsal/scenario.ts';
import { type Transcript, transcriptOf } from '../domain/rehearsal/transcript.ts';
import { plainSetting, type Setting } from '../domain/rehearsal/world.ts';
import { compilePlan } from '../domain/sequence/compile-plan.ts';
import type { SequenceDefinition } from '../domain/sequence/definition.ts';
import { parseSequence } from '../domain/sequence/parse-sequence.ts';
import { formsOf } from '../domain/sequence/step-of-variant.ts';
import { settingsOf } from '../domain/tenant-settings.ts';
import { kindOfSequence } from '../domain/sequence/triggers.ts';
import { hasCopy, whatsappForms } from '../content/channels/index.ts';
import { mayHaveScript } from '../domain/scripts/choose-script.ts';
import { describeFileErrors } from '../domain/yaml-file.ts';
import type { Deps } from './deps.ts';
import { readAssignment } from './dispatch/assignment.ts';
import { factsFrom, readCustomer, type Reading, readStated, type StepWorld } from './dispatch/facts.ts';
import { lookAtOffers } from './dispatch/offer.ts';
import type { OfferRecords } from '../domain/offers/decide-offer.ts';
import type { EnrollmentRow } from './dispatch/progress.ts';
import { readArm } from './dispatch/variant.ts';
import type { Version } from './dispatch/versions.ts';
import { type Outlets, readConfigured, toOutlets } from './outlets.ts';

export interface ContactRehearsalWish {
  tenantId: string;
  /** The contact's id, or an email address of theirs; null: an invented customer. */
  contact: string | null;
  /** The version in use of a sequence of the store, or the text of a file. */
  what: { slug: string } | { yaml: string };
  /** A scenario file, of which what happens and `from` count: who it happens to is known. */
  scenario: string;
}

export type ContactRehearsed =
  | { kind: 'rehearsed'; transcript: Transcript }
  | { kind: 'unknown_contact' }
  | { kind: 'unknown_sequence' }
  /** The sequence or the scenario has mistakes. */
  | { kind: 'invalid'; field: 'yaml' | 'scenario'; detail: string };

/**
 * Play a sequence for a real person: their clock, consents, suppressions, what they got and what runs for them are facts, and so are the store's settings
 * and connections. Or for an invented customer of the store. Reads only.
 */
export async function rehearseContact(deps: Deps, wish: ContactRehearsalWish): Promise<ContactRehearsed> {
  return deps.db.withTenant(wish.tenantId, async (tx): Promise<ContactRehearsed> => {
    const tried = await chosen(tx, deps, wish);
    if ('kind' in tried) return tried;
    const nowMs = deps.clock.nowMs();
    const setting = await settingFor(tx, deps, wish, tried, nowMs);
    if (setting === null) return { kind: 'unknown_contact' };
    const [timeZone = 'UTC'] = setting.timeZones;
    const scenario = parseScenario(wish.scenario, tried.definition, deps.subjects, { timeZone, setting, nowMs });
    if (!scenario.ok) return { kind: 'invalid', field: 'scenario', detail: describeFileErrors('the scenario', scenario.errors) };
    const { events, fromMs } = scenario.value;
    const transcript = transcriptOf(rehearse(tried.definition, events, asOf(setting, fromMs)), scenario.value);
    return { kind: 'rehearsed', transcript: { ...transcript, version: tried.version } };
  });
}

/** @returns null where there is no such contact */
async function settingFor(
  tx: Tx,
  deps: Deps,
  { tenantId, contact: named }: ContactRehearsalWish,
  tried: Version,
  nowMs: number,
): Promise<Setting | null> {
  if (named === null) return inventedSetting(tx, deps, tenantId, tried);
  const contact = await findContact(tx, named);
  return contact === null ? null : settingOf(tx, deps, { tenantId, contact, tried, nowMs });
}

/**
 * A first customer who lives where the store is and has agreed to everything, on every channel that is connected: what keeps a message from them is the
 * sequence's doing, or the store's.
 */
async function inventedSetting(tx: Tx, deps: Deps, tenantId: string, tried: Version): Promise<Setting> {
  const settings = settingsOf(await tenantOf(tx, tenantId));
  const isConnected = connectedFor(toOutlets(deps, await readConfigured(tx)), tried);
  const reachedBy = (channel: Channel): ChannelFacts => ({
    ...{ connected: isConnected(channel), hasAddress: true, suppressed: false, refused: false },
    ...{ consent: 'granted', requiresConsent: settings.requireConsent.includes(channel) },
  });
  return {
    ...plainSetting,
    settings,
    timeZones: [settings.timeZone],
    currency: settings.currency ?? plainSetting.currency,
    channels: Object.fromEntries(channelNames.map((channel) => [channel, reachedBy(channel)])),
    claims: { assumed: claimNames },
    tracksOpens: settings.trackOpens,
    isInquiry: kindOfSequence(deps.subjects, tried.definition)?.isInquiry === true,
  };
}

/** Whether a step can go out on a channel: something sends there, and the version has texts for it. A file has none yet. */
function connectedFor(outlets: Outlets, { definition, content }: Version): (channel: Channel) => boolean {
  const isFile = isWithoutTexts(content);
  const hasText = (channel: Channel) => definition.steps.flatMap(formsOf).some((s) => mayHaveScript(s) || hasCopy(content, s.content, channel));
  return (channel) => outlets.forChannel(channel) !== null && (isFile || hasText(channel));
}

const isWithoutTexts = (content: Version['content']) => Object.keys(content).length === 0;

async function tenantOf(tx: Tx, tenantId: string): Promise<typeof tenants.$inferSelect> {
  const [tenant] = await tx.select().from(tenants).where(eq(tenants.id, tenantId));
  if (tenant === undefined) throw new Error('the tenant does not exist');
  return tenant;
}

/** A rehearsal in the past leaves out what the person has done since. */
function asOf(setting: Setting, fromMs: number): Setting {
  const { contact, elsewhere } = setting;
  if (contact === undefined) return setting;
  const by = (ms: number | null) => (ms !== null && ms <= fromMs ? ms : null);
  const known = { ...contact, lastOrderMs: by(contact.lastOrderMs), lastReplyMs: by(contact.lastReplyMs), lastSeenMs: by(contact.lastSeenMs) };
  return { ...setting, contact: known, elsewhere: { ...elsewhere, sends: elsewhere.sends.filter(({ atMs }) => atMs <= fromMs) } };
}

async function chosen(tx: Tx, { subjects: kinds }: Deps, { what }: ContactRehearsalWish): Promise<Version | ContactRehearsed> {
  if ('yaml' in what) {
    const parsed = parseSequence(what.yaml, kinds);
    if (!parsed.ok) return { kind: 'invalid', field: 'yaml', detail: describeFileErrors('the file', parsed.errors) };
    return { slug: parsed.definition.sequence, version: 1, definition: parsed.definition, content: {} };
  }
  const [found] = await tx
    .select({ version: sequenceVersions })
    .from(sequences)
    .innerJoin(sequenceVersions, eq(sequenceVersions.id, sequences.currentVersionId))
    .where(eq(sequences.slug, what.slug));
  if (found === undefined) return { kind: 'unknown_sequence' };
  const { version, definition, content } = found.version;
  return { slug: what.slug, version, definition, content };
}

type Contact = typeof contacts.$inferSelect;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export async function findContact(tx: Tx, named: string): Promise<Contact | null> {
  const email = named.includes('@') ? normaliseEmail(named) : null;
  if (email === null && !uuid.test(named)) return null;
  const [row] =
    email === null
      ? await tx.select().from(contacts).where(eq(contacts.id, named))
      : await tx
          .select({ contact: contacts })
          .from(contactIdentities)
          .innerJoin(contacts, eq(contacts.id, contactIdentities.contactId))
          .where(and(eq(contactIdentities.kind, 'email'), eq(contactIdentities.value, email)))
          .orderBy(contacts.id)
          .limit(1)
          .then((rows) => rows.map(({ contact }) => contact));
  return row ?? null;
}

interface Asked {
  tenantId: string;
  contact: Contact;
  tried: Version;
  nowMs: number;
  /** What the step would be about, as it stands; absent: what they last left open of its kind, as if they left it now. */
  about?: Pick<StepWorld, 'subject' | 'campaign' | 'move'>;
}

/** The person and the store, as a step of the sequence would find them now, and what an offer of that step would be decided by. */
export async function readContact(
  tx: Tx,
  deps: Deps,
  { tenantId, contact, tried, nowMs, about }: Asked,
  stepId: string,
  claimsIn: (content: string | null) => readonly ClaimName[] = () => claimNames,
): Promise<{ reading: Reading; offer: OfferRecords }> {
  const { definition } = tried;
  const left = await readWorldOf(tx, deps, tenantId, contact, definition, nowMs);
  const world = about === undefined ? left : { ...left, ...about };
  const outlets = toOutlets(deps, await readConfigured(tx));
  const [known] = await tx.select({ id: sequences.id }).from(sequences).where(eq(sequences.slug, tried.slug));
  const begun = hypothetical(tenantId, contact.id, world.subject.id, known?.id ?? contact.id, nowMs);
  // What has become of it counts as after its beginning.
  const enrollment = about === undefined ? begun : { ...begun, activatedAt: nowMs };
  const hashOf = (i: { kind: string; value: string }) => deps.sealing.addressHash(tenantId, i.kind, i.value);
  const hashes = world.identities.map(hashOf);
  const blocked = await tx
    .select({ channel: suppressions.channel, hash: suppressions.addressHash, reason: suppressions.reason })
    .from(suppressions)
    .where(and(sql`${suppressions.addressHash} = any(${sql.param(hashes)}::text[])`, sql`lifted_at is null`));
  const people = { personId: contact.personId, contactIds: world.contacts.map((c) => c.id), holdoutPercent: definition.holdoutPercent };
  const versions = new Map<string, Version>();
  for (const { enrollment: other } of world.others) versions.set(other.versionId, await deps.versions.load(tx, other.versionId));
  const reading = factsFrom(
    {
      ...{ world, definition, enrollment, ledger: [], kinds: deps.subjects, personId: contact.personId, stepId },
      plan: compilePlan(definition, tried.version, 1),
      claimsIn,
      ...(isWithoutTexts(tried.content)
        ? {}
        : { whatsappForms: (name: string | null, locales: readonly (string | null)[]) => whatsappForms(tried.content, name, locales) }),
      isConnected: connectedFor(outlets, tried),
    },
    {
      hashOf,
      blocked,
      assignment: await readAssignment(tx, enrollment, people),
      arm: await readArm(tx, enrollment.sequenceId, { ...people, definition }),
      versions,
      customer: await readCustomer(tx, people.contactIds),
      stated: await readStated(tx, { world, kinds: deps.subjects }, claimNames),
    },
  );
  const { kind, details } = reading.subject;
  const { records } = await lookAtOffers(tx, {
    ...{ enrollment, stepId, nowMs, timeScale: 1, policy: reading.settings.offers, regularMinor: kind.regularMinor?.(details) ?? null },
    contactIds: people.contactIds,
  });
  return { reading, offer: records };
}

/** The same as the first step finds it, for a rehearsal. */
async function settingOf(tx: Tx, deps: Deps, asked: Asked): Promise<Setting> {
  const [first] = asked.tried.definition.steps;
  if (first === undefined) throw new Error('a sequence without a step');
  const { reading, offer } = await readContact(tx, deps, asked, first.id);
  const { facts } = reading;
  const { policy: _, own: __, ...offers } = offer;
  return {
    ...plainSetting,
    timeZones: facts.person.zones.timeZones,
    place: facts.person.zones.place,
    settings: facts.settings,
    segment: facts.subject.segment,
    modifiers: facts.subject.modifiers,
    valueMinor: facts.subject.valueMinor,
    currency: facts.subject.currency,
    stock: facts.subject.stock,
    ...(facts.claims === undefined ? {} : { claims: facts.claims.known }),
    attributes: Object.fromEntries(Object.entries(facts.attributes).filter(([name]) => name !== 'account.band')),
    channels: facts.channels,
    tracksOpens: facts.settings.trackOpens,
    heldOut: facts.holdout?.heldOut ?? false,
    ...(facts.arm === undefined ? {} : { arm: facts.arm }),
    elsewhere: { sends: facts.person.sends, upcoming: facts.person.upcoming },
    contact: asOne(facts.person.contacts),
    isInquiry: facts.subject.isInquiry === true,
    offers,
  };
}

/** Everything about the person that `read_step_2` reads for an enrollment. */
async function readWorldOf(
  tx: Tx,
  deps: Deps,
  tenantId: string,
  contact: Contact,
  definition: SequenceDefinition,
  nowMs: number,
): Promise<StepWorld> {
  const tenant = await tenantOf(tx, tenantId);
  const everyone = await tx.select().from(contacts).where(eq(contacts.personId, contact.personId)).orderBy(contacts.id);
  const ids = everyone.map((c) => c.id);
  const isTheirs = (
    column:
      | typeof contactIdentities.contactId
      | typeof messages.contactId
      | typeof enrollments.contactId
      | typeof consents.contactId
      | typeof subjects.contactId,
  ) => sql`${column} = any(${sql.param(ids)}::uuid[])`;
  const identities = await tx
    .select()
    .from(contactIdentities)
    .where(isTheirs(contactIdentities.contactId))
    .orderBy(sql`(${contactIdentities.contactId} = ${contact.id}) desc`, desc(contactIdentities.createdAt), desc(contactIdentities.id));
  const said = await tx
    .select({
      channel: consents.channel,
      state: consents.state,
      basis: sql<ConsentStatement['basis']>`consent_basis(${consents.basis}, ${consents.source})`,
      atMs: consents.occurredAt,
    })
    .from(consents)
    .where(isTheirs(consents.contactId));
  const sends = await tx
    .select({ channel: messages.channel, atMs: sentAt, slug: sequences.slug, stepId: messages.stepId })
    .from(messages)
    .innerJoin(enrollments, eq(enrollments.id, messages.enrollmentId))
    .innerJoin(sequences, eq(sequences.id, enrollments.sequenceId))
    .where(
      and(
        isTheirs(messages.contactId),
        sql`${messages.state} in ('sent', 'unknown', 'claimed')`,
        sql`${messages.createdAt} > clock_timestamp() - interval '31 days'`,
      ),
    );
  const running = await tx
    .select({ enrollment: enrollments })
    .from(enrollments)
    .innerJoin(sequences, eq(sequences.id, enrollments.sequenceId))
    .where(
      and(
        isTheirs(enrollments.contactId),
        sql`${enrollments.endedAt} is null and ${enrollments.held} is null`,
        sql`${sequences.slug} <> ${definition.sequence} and not ${sequences.paused}`,
        // Nothing of a paused campaign is sent, and nothing to those who are to exit.
        sql`(${enrollments.campaignId} is null or exists (select from campaigns k where k.id = ${enrollments.campaignId} and k.status = 'ACTIVE'))`,
        sql`not exists (select from version_moves v where v.version_id = ${enrollments.versionId} and v.to_version_id is null)`,
      ),
    );
  const others: StepWorld['others'] = [];
  for (const { enrollment } of running)
    others.push({ enrollment, ledger: await tx.select().from(messages).where(eq(messages.enrollmentId, enrollment.id)) });
  const kind = kindOfSequence(deps.subjects, definition);
  if (kind === null) throw new Error(`nothing is known about what ${definition.on} starts`);
  const [subject] = await tx
    .select()
    .from(subjects)
    .where(and(isTheirs(subjects.contactId), eq(subjects.kind, kind.kind), eq(subjects.state, 'open')))
    .orderBy(desc(subjects.lastActivityAt))
    .limit(1);
  return {
    tenant,
    paused: false,
    campaign: null,
    scripts: [],
    tests: [],
    move: null,
    // Left now: what it holds is the latest that is known, or nothing.
    subject: { ...(subject ?? emptySubject(tenantId, contact.id, kind.kind)), lastActivityAt: nowMs },
    contacts: everyone,
    identities,
    consents: said,
    sends: sends.map(({ slug, stepId, ...send }) => ({ ...send, step: `${slug}/${stepId}` })),
    others,
  };
}

const sentAt = sql<number>`coalesce(${messages.settledAt}, ${messages.claimedAt}, ${messages.createdAt})`.mapWith(messages.createdAt);

function emptySubject(tenantId: string, id: string, kind: string): StepWorld['subject'] {
  const unknown = {
    currency: null,
    valueMinor: null,
    details: null,
    detailsVersion: null,
    totalMinor: null,
    restoreUrl: null,
    origin: null,
    bought: null,
  };
  const times = {
    startedAt: 0,
    lastActivityAt: 0,
    createdAt: 0,
    emailAt: null,
    phoneAt: null,
    convertedAt: null,
    contactedAt: null,
    lastContactAt: null,
    lastInteractionAt: null,
    viewingScheduledAt: null,
    sweptAt: null,
  };
  return {
    tenantId,
    id,
    kind,
    contactId: id,
    state: 'open',
    items: [],
    email: null,
    phone: null,
    previousSubjectId: null,
    noSequence: null,
    ghostReminderSent: false,
    ...unknown,
    ...times,
  };
}

function hypothetical(tenantId: string, contactId: string, subjectId: string, sequenceId: string, nowMs: number): EnrollmentRow {
  const open = {
    status: 'ACTIVE' as const,
    stopReason: null,
    stopNote: null,
    activatedAt: null,
    notBefore: {},
    putOffUntil: null,
    snoozes: [],
    dueNow: {},
    held: null,
    slots: {},
    campaignId: null,
    endedAt: null,
  };
  const about = { subjectKind: null, segment: null, valueMinor: null, sequenceType: 'first_time' as const, cartValueMinor: null, currency: null };
  const ids = { tenantId, id: contactId, sequenceId, versionId: sequenceId, contactId, subjectId };
  return { ...ids, ...open, ...about, timeScale: 1, anchorAt: nowMs, enrolledAt: nowMs };
}

/** A rehearsed person is one contact: what the strictest and the latest of theirs say. */
function asOne(all: Facts['person']['contacts']): ContactRecord {
  const latest = (field: 'lastOrderMs' | 'lastReplyMs' | 'lastSeenMs' | 'lastWhatsappMs') =>
    all.reduce<number | null>((max, c) => ((c[field] ?? 0) > (max ?? 0) ? (c[field] ?? null) : max), null);
  const closed = all.find((c) => isClosed(c.lifecycle));
  return {
    lifecycle: closed?.lifecycle ?? 'IN_PROGRESS',
    lastOrderMs: latest('lastOrderMs'),
    lastReplyMs: latest('lastReplyMs'),
    lastWhatsappMs: latest('lastWhatsappMs'),
    lastSeenMs: latest('lastSeenMs'),
    takenOver: all.find((c) => c.takenOver != null)?.takenOver ?? null,
  };
}
