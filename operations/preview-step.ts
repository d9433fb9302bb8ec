import { and, desc, eq, inArray } from 'drizzle-orm';
import { type StepTexts } from '../content/step-texts.ts';
import { claimsIn, hasCopy, type MessagePreview, previewMessage } from '../content/channels/index.ts';
import type { CopyFacts, OfferFacts } from '../content/copy-facts.ts';
import { linksOfNobody, sampleFacts, sampleNames, sampleOffer } from '../content/preview.ts';
import type { Tx } from '../db/client.ts';
import { contacts, enrollments, sequences, sequenceVersions, tenants } from '../db/schema/index.ts';
import type { Channel } from '../domain/channels/index.ts';
import { decideOffer, type OfferRecords, refusalWords } from '../domain/offers/decide-offer.ts';
import type { StepDefinition } from '../domain/sequence/definition.ts';
import { stepOfVariant } from '../domain/sequence/step-of-variant.ts';
import { kindOfSequence } from '../domain/sequence/triggers.ts';
import type { AnySubjectKind } from '../domain/subjects/index.ts';
import { settingsOf } from '../domain/tenant-settings.ts';
import type { Deps } from './deps.ts';
import { copyFactsOf, storeFactsOf } from './dispatch/compose.ts';
import { readStep, type Reading } from './dispatch/facts.ts';
import { readTexts, type ReadTexts, readTextsToShow } from './dispatch/texts.ts';
import { type ChosenVariant, readVariant } from './dispatch/variant.ts';
import type { Version } from './dispatch/versions.ts';
import { findContact, readContact } from './rehearse-contact.ts';

/** The arm of a test that somebody's message is of. `kept`: they had it before. `drawn`: the message would be the first. `winner`: the test is over. */
export interface ShownArm {
  variant: string;
  /** Of the campaign's test; null: it is one of the step's own variants. */
  experimentId: string | null;
  by: 'kept' | 'drawn' | 'winner';
}

/** A message, and the claims that its text makes; `offer` besides, where its step asks for one. */
export type StepPreview = Omit<MessagePreview, 'claims'> & {
  /** The name of the script that is said in the place of the step's own text; null: none is. */
  script: string | null;
  /** null: nothing is compared here, or a sample is shown. */
  arm: ShownArm | null;
  claims: { claim: string; shown: boolean; why: string }[];
};

/** Which step is shown, and to whom. */
export interface PreviewWish {
  tenantId: string;
  slug: string;
  stepId: string;
  /** BCP 47, the reader's; null: as they are. */
  locale: string | null;
  /** The id of a contact or an email address of theirs; null: a sample is shown. */
  contact: string | null;
  /** The name of a sample, or a part of it; null: the first. */
  sample: string | null;
  /** The variant that is shown, whichever the contact has; null or absent: theirs, or the first. */
  variant?: string | null;
}

export type Previewed =
  | { kind: 'previewed'; preview: StepPreview }
  | { kind: 'unknown_sequence' | 'unknown_step' | 'unknown_contact' }
  | { kind: 'unknown_sample'; samples: string[] }
  | { kind: 'unknown_variant'; variants: string[] }
  /** It carries no text on any channel. */
  | { kind: 'no_text' };

/** A step whose text can be shown, with everything that it is made of. */
export interface Shown {
  kind: 'shown';
  /** From which texts it is made, and the name of its own among them. */
  texts: StepTexts;
  content: string;
  channel: Channel;
  facts: CopyFacts;
  arm: ShownArm | null;
  /** Why the step brings an offer, or none; null: it asks for none. */
  offerWhy: string | null;
}

/** What the version in use says in a step, as somebody would get it now. Reads only. */
export async function previewStep(deps: Deps, wish: PreviewWish, only: Channel | null = null, draft: Version | null = null): Promise<Previewed> {
  const shown = await deps.db.withTenant(wish.tenantId, (tx) => showStep(tx, deps, wish, only, draft));
  if (shown.kind !== 'shown') return shown;
  const { texts, channel, facts, offerWhy, arm } = shown;
  const preview = previewMessage(texts.stored, shown.content, channel, facts);
  const offer = offerWhy === null ? [] : [{ claim: 'offer', shown: facts.offer !== null, why: offerWhy }];
  const script = texts.scripts[channel]?.name ?? null;
  return { kind: 'previewed', preview: { ...preview, script, arm, claims: [...preview.claims, ...offer] } };
}

/**
 * @param only - a channel that it must have a text for; null: the first of the step's that has one
 * @param draft - instead of the version in use
 */
export async function showStep(
  tx: Tx,
  deps: Deps,
  wish: PreviewWish,
  only: Channel | null,
  draft: Version | null = null,
): Promise<Shown | Exclude<Previewed, { kind: 'previewed' }>> {
  const version = draft ?? (await inUse(tx, wish.slug));
  const about = version === null ? null : kindOfSequence(deps.subjects, version.definition);
  if (version === null || about === null) return { kind: 'unknown_sequence' };
  const written = version.definition.steps.find(({ id }) => id === wish.stepId);
  if (written === undefined) return { kind: 'unknown_step' };
  const wanted = written.variants?.find(({ id }) => id === wish.variant);
  if (wish.variant != null && wanted === undefined) return { kind: 'unknown_variant', variants: written.variants?.map(({ id }) => id) ?? [] };
  const contact = wish.contact === null ? null : await findContact(tx, wish.contact);
  if (wish.contact !== null && contact === null) return { kind: 'unknown_contact' };
  const { texts, chosen } =
    contact === null
      ? { texts: await readTextsToShow(tx, { version, stepId: written.id, about: about.kind }), chosen: null }
      : await textsFor(tx, { version, step: written, about: about.kind, contact });
  const step = stepOfVariant(written, wanted ?? chosen?.variant ?? written.variants?.[0]);
  const content = texts.nameOf(step.content);
  const channel = step.channels.find((one) => (only === null || one === only) && hasCopy(texts.stored, content, one));
  if (content === null || channel === undefined) return { kind: 'no_text' };
  const facts = contact === null ? await ofSample(tx, deps, wish, about) : await ofContact(tx, deps, { ...wish, contact }, version, texts);
  if ('kind' in facts) return facts;
  const { offerWhy = sampleOffer(facts.offer), ...known } = facts;
  const shown = {
    kind: 'shown' as const,
    texts,
    content,
    channel,
    arm: wanted === undefined || wanted === chosen?.variant ? armOn(channel, texts, chosen, step) : null,
  };
  // Only a step that asks for an offer brings one, whatever its text could say.
  return step.offer === undefined ? { ...shown, facts: { ...known, offer: null }, offerWhy: null } : { ...shown, facts: known, offerWhy };
}

async function inUse(tx: Tx, slug: string): Promise<Version | null> {
  const [found] = await tx
    .select({ version: sequenceVersions.version, definition: sequenceVersions.definition, content: sequenceVersions.content })
    .from(sequences)
    .innerJoin(sequenceVersions, eq(sequenceVersions.id, sequences.currentVersionId))
    .where(eq(sequences.slug, slug));
  return found === undefined ? null : { slug, ...found };
}

interface TextsFor {
  version: Version;
  step: StepDefinition;
  about: string;
  contact: typeof contacts.$inferSelect;
}

/**
 * As the dispatch chooses them, for the person's last time in the sequence: the scripts of its campaign, the arm of its test, and the variant of the step.
 * Whoever was never in it is in no campaign.
 */
async function textsFor(
  tx: Tx,
  { version, step, about, contact }: TextsFor,
): Promise<{ texts: StepTexts | ReadTexts; chosen: ChosenVariant | null }> {
  const { personId } = contact;
  const theirs = await tx.select({ id: contacts.id }).from(contacts).where(eq(contacts.personId, personId));
  const contactIds = theirs.map(({ id }) => id);
  const [sequence] = await tx.select({ id: sequences.id }).from(sequences).where(eq(sequences.slug, version.slug));
  const [last] =
    sequence === undefined
      ? []
      : await tx
          .select()
          .from(enrollments)
          .where(and(eq(enrollments.sequenceId, sequence.id), inArray(enrollments.contactId, contactIds)))
          .orderBy(desc(enrollments.enrolledAt), desc(enrollments.id))
          .limit(1);
  const world = last === undefined ? null : await readStep(tx, last.id);
  const texts =
    last === undefined || world === null
      ? await readTextsToShow(tx, { version, stepId: step.id, about })
      : await readTexts(tx, { version, stepId: step.id, world, enrollment: last, personId });
  // For variety a text is drawn anew for each time that somebody is in the sequence: before that it is not known which.
  const isDrawn = sequence !== undefined && (last !== undefined || step.varied !== true);
  const chosen = isDrawn ? await readVariant(tx, { id: last?.id ?? contact.id, sequenceId: sequence.id }, { personId, contactIds, step }) : null;
  return { texts, chosen };
}

function armOn(channel: Channel, texts: StepTexts | ReadTexts, chosen: ChosenVariant | null, step: StepDefinition): ShownArm | null {
  // Variety compares nothing.
  if (chosen !== null)
    return step.varied === true ? null : { variant: chosen.variant.id, experimentId: null, by: chosen.toStore === null ? 'kept' : 'drawn' };
  const tested = 'testOf' in texts ? texts.testOf(channel) : null;
  return tested === null ? null : { variant: tested.variant, experimentId: tested.experimentId, by: tested.by };
}

async function ofSample(
  tx: Tx,
  deps: Deps,
  { tenantId, sample, locale }: PreviewWish,
  kind: AnySubjectKind,
): Promise<(CopyFacts & { offerWhy?: string }) | { kind: 'unknown_sample'; samples: string[] }> {
  const [tenant] = await tx.select().from(tenants).where(eq(tenants.id, tenantId));
  if (tenant === undefined) throw new Error('the tenant does not exist');
  const settings = settingsOf(tenant);
  const store = { settings, facts: storeFactsOf(settings) };
  return sampleFacts({ kind, sample, locale, store, nowMs: deps.clock.nowMs() }) ?? { kind: 'unknown_sample', samples: sampleNames(kind) };
}

async function ofContact(
  tx: Tx,
  deps: Deps,
  { tenantId, contact, locale, stepId }: Omit<PreviewWish, 'contact'> & { contact: typeof contacts.$inferSelect },
  version: Version,
  texts: StepTexts,
): Promise<CopyFacts & { offerWhy?: string }> {
  const nowMs = deps.clock.nowMs();
  const { reading, offer } = await readContact(tx, deps, { tenantId, contact, tried: version, nowMs }, stepId, (own) =>
    claimsIn(texts.stored, texts.nameOf(own)),
  );
  const { subject, settings } = reading;
  const predicted = predictedOffer(offer, reading, nowMs);
  const facts = copyFactsOf(
    { ...reading, locale: locale ?? reading.locale },
    {
      links: linksOfNobody(settings.storeUrl, subject.kind.link(subject.details)),
      isFirst: false,
      sendKey: { enrollmentId: 'preview', stepId },
      nowMs,
      offer: predicted.offer,
    },
  );
  return { ...facts, offerWhy: predicted.why };
}

/** What the person would get now, with a code that is nobody's: the real one is chosen when the message goes out. */
function predictedOffer(records: OfferRecords, { facts }: Reading, nowMs: number): { offer: OfferFacts | null; why: string } {
  const decision = decideOffer(records, facts.subject, nowMs, 1);
  if (!decision.granted) return { offer: null, why: refusalWords(decision.reason) };
  const { percentOff, endsAtMs } = decision;
  const timeZone = facts.person.zones.timeZones[0] ?? 'UTC';
  return { offer: { code: 'YOUR-CODE', percentOff, endsAtMs, timeZone }, why: 'the store’s terms grant one now' };
}
