import { and, desc, eq } from 'drizzle-orm';
import { type StepTexts } from '../content/step-texts.ts';
import { claimsIn, hasCopy, type MessagePreview, previewMessage } from '../content/channels/index.ts';
import type { CopyFacts, OfferFacts } from '../content/copy-facts.ts';
import { linksOfNobody, sampleFacts, sampleNames, sampleOffer } from '../content/preview.ts';
import type { Tx } from '../db/client.ts';
import { contacts, enrollments, sequences, sequenceVersions, tenants } from '../db/schema/index.ts';
import type { Channel } from '../domain/channels/index.ts';
import { decideOffer, type OfferRecords, refusalWords } from '../domain/offers/decide-offer.ts';
import { kindOfSequence } from '../domain/sequence/triggers.ts';
import type { AnySubjectKind } from '../domain/subjects/index.ts';
import { settingsOf } from '../domain/tenant-settings.ts';
import type { Deps } from './deps.ts';
import { copyFactsOf, storeFactsOf } from './dispatch/compose.ts';
import type { Reading } from './dispatch/facts.ts';
import { readTextsToShow } from './dispatch/texts.ts';
import type { Version } from './dispatch/versions.ts';
import { findContact, readContact } from './rehearse-contact.ts';

/** A message, and the claims that its text makes; `offer` besides, where its step asks for one. */
export type StepPreview = Omit<MessagePreview, 'claims'> & {
  /** The name of the script that is said in the place of the step's own text; null: none is. */
  script: string | null;
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
}

export type Previewed =
  | { kind: 'previewed'; preview: StepPreview }
  | { kind: 'unknown_sequence' | 'unknown_step' | 'unknown_contact' }
  | { kind: 'unknown_sample'; samples: string[] }
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
  /** Why the step brings an offer, or none; null: it asks for none. */
  offerWhy: string | null;
}

/** What the version in use says in a step, as somebody would get it now. Reads only. */
export async function previewStep(deps: Deps, wish: PreviewWish, only: Channel | null = null, draft: Version | null = null): Promise<Previewed> {
  const shown = await deps.db.withTenant(wish.tenantId, (tx) => showStep(tx, deps, wish, only, draft));
  if (shown.kind !== 'shown') return shown;
  const { texts, channel, facts, offerWhy } = shown;
  const preview = previewMessage(texts.stored, shown.content, channel, facts);
  const offer = offerWhy === null ? [] : [{ claim: 'offer', shown: facts.offer !== null, why: offerWhy }];
  const script = texts.scripts[channel]?.name ?? null;
  return { kind: 'previewed', preview: { ...preview, script, claims: [...preview.claims, ...offer] } };
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
  const step = version.definition.steps.find(({ id }) => id === wish.stepId);
  if (step === undefined) return { kind: 'unknown_step' };
  const campaignId = wish.contact === null ? null : await campaignOf(tx, version.slug, wish.contact);
  const texts = await readTextsToShow(tx, { version, stepId: step.id, about: about.kind, campaignId });
  const { content } = texts;
  const channel = step.channels.find((one) => (only === null || one === only) && hasCopy(texts.stored, content, one));
  if (content === null || channel === undefined) return { kind: 'no_text' };
  const facts =
    wish.contact === null ? await ofSample(tx, deps, wish, about) : await ofContact(tx, deps, { ...wish, contact: wish.contact }, version, texts);
  if ('kind' in facts) return facts;
  const { offerWhy = sampleOffer(facts.offer), ...known } = facts;
  const shown = { kind: 'shown' as const, texts, content, channel };
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

/** The campaign by which a person was last in the sequence, whose own script their step goes out by; null: none. */
async function campaignOf(tx: Tx, slug: string, named: string): Promise<string | null> {
  const contact = await findContact(tx, named);
  if (contact === null) return null;
  const [last] = await tx
    .select({ campaignId: enrollments.campaignId })
    .from(enrollments)
    .innerJoin(sequences, eq(sequences.id, enrollments.sequenceId))
    .innerJoin(contacts, eq(contacts.id, enrollments.contactId))
    .where(and(eq(sequences.slug, slug), eq(contacts.personId, contact.personId)))
    .orderBy(desc(enrollments.enrolledAt), desc(enrollments.id))
    .limit(1);
  return last?.campaignId ?? null;
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
  { tenantId, contact: named, locale, stepId }: PreviewWish & { contact: string },
  version: Version,
  texts: StepTexts,
): Promise<(CopyFacts & { offerWhy?: string }) | { kind: 'unknown_contact' }> {
  const contact = await findContact(tx, named);
  if (contact === null) return { kind: 'unknown_contact' };
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
