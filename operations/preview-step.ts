import { eq } from 'drizzle-orm';
import { claimsIn, hasCopy, type MessagePreview, previewMessage } from '../content/channels/index.ts';
import type { CopyFacts } from '../content/copy-facts.ts';
import { linksOfNobody, sampleFacts, sampleNames } from '../content/preview.ts';
import type { Tx } from '../db/client.ts';
import { sequences, sequenceVersions, tenants } from '../db/schema/index.ts';
import type { Channel } from '../domain/channels/index.ts';
import { kindOfSequence } from '../domain/sequence/triggers.ts';
import type { AnySubjectKind } from '../domain/subjects/index.ts';
import { settingsOf } from '../domain/tenant-settings.ts';
import type { Deps } from './deps.ts';
import { copyFactsOf, storeFactsOf } from './dispatch/compose.ts';
import type { Version } from './dispatch/versions.ts';
import { findContact, readContact } from './rehearse-contact.ts';

export type { MessagePreview };

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
  | { kind: 'previewed'; preview: MessagePreview }
  | { kind: 'unknown_sequence' | 'unknown_step' | 'unknown_contact' }
  | { kind: 'unknown_sample'; samples: string[] }
  /** It carries no text on any channel. */
  | { kind: 'no_text' };

/** A step whose text can be shown, with everything that it is made of. */
export interface Shown {
  kind: 'shown';
  version: Version;
  content: string;
  channel: Channel;
  facts: CopyFacts;
}

/** What the version in use says in a step, as somebody would get it now. Reads only. */
export async function previewStep(deps: Deps, wish: PreviewWish): Promise<Previewed> {
  const shown = await deps.db.withTenant(wish.tenantId, (tx) => showStep(tx, deps, wish, null));
  if (shown.kind !== 'shown') return shown;
  return { kind: 'previewed', preview: previewMessage(shown.version.content, shown.content, shown.channel, shown.facts) };
}

/** @param only - a channel that it must have a text for; null: the first of the step's that has one */
export async function showStep(
  tx: Tx,
  deps: Deps,
  wish: PreviewWish,
  only: Channel | null,
): Promise<Shown | Exclude<Previewed, { kind: 'previewed' }>> {
  const version = await inUse(tx, wish.slug);
  const about = version === null ? null : kindOfSequence(deps.subjects, version.definition);
  if (version === null || about === null) return { kind: 'unknown_sequence' };
  const step = version.definition.steps.find(({ id }) => id === wish.stepId);
  if (step === undefined) return { kind: 'unknown_step' };
  const { content } = step;
  const channel = step.channels.find((one) => (only === null || one === only) && hasCopy(version.content, content, one));
  if (content === null || channel === undefined) return { kind: 'no_text' };
  const facts =
    wish.contact === null ? await ofSample(tx, deps, wish, about) : await ofContact(tx, deps, { ...wish, contact: wish.contact }, version);
  return 'kind' in facts ? facts : { kind: 'shown', version, content, channel, facts };
}

async function inUse(tx: Tx, slug: string): Promise<Version | null> {
  const [found] = await tx
    .select({ version: sequenceVersions.version, definition: sequenceVersions.definition, content: sequenceVersions.content })
    .from(sequences)
    .innerJoin(sequenceVersions, eq(sequenceVersions.id, sequences.currentVersionId))
    .where(eq(sequences.slug, slug));
  return found === undefined ? null : { slug, ...found };
}

async function ofSample(
  tx: Tx,
  deps: Deps,
  { tenantId, sample, locale }: PreviewWish,
  kind: AnySubjectKind,
): Promise<CopyFacts | { kind: 'unknown_sample'; samples: string[] }> {
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
): Promise<CopyFacts | { kind: 'unknown_contact' }> {
  const contact = await findContact(tx, named);
  if (contact === null) return { kind: 'unknown_contact' };
  const nowMs = deps.clock.nowMs();
  const reading = await readContact(tx, deps, { tenantId, contact, tried: version, nowMs }, stepId, (content) => claimsIn(version.content, content));
  const { subject, settings } = reading;
  return copyFactsOf(
    { ...reading, locale: locale ?? reading.locale },
    {
      links: linksOfNobody(settings.storeUrl, subject.kind.link(subject.details)),
      isFirst: false,
      sendKey: { enrollmentId: 'preview', stepId },
      nowMs,
    },
  );
}
