import { addressKindsOf } from '../../../domain/channels/index.ts';
import { isClosed } from '../../../domain/people/lifecycle.ts';
import { withOwnOrders } from '../../../domain/people/purchases.ts';
import { isAboutGhost, isAboutSilence, lastContactOf } from '../../../domain/people/silence.ts';
import { baseSegment } from '../../../domain/people/segments.ts';
import { compilePlan } from '../../../domain/sequence/compile-plan.ts';
import type { SequenceDefinition } from '../../../domain/sequence/definition.ts';
import type { StopReason } from '../../../domain/sequence/plan.ts';
import { triggersOf } from '../../../domain/subjects/kind.ts';
import type { KeptFrom, NoSequenceReason } from '../../../domain/subjects/no-sequence.ts';
import type { Beginning, Draft } from '../../intake/draft.ts';
import type { ActiveSequence, KnownContact, KnownEnrollment, KnownSubject } from '../../intake/world.ts';
import { isClosedEverywhere } from './suppressions.ts';

/** A subject whose owner is known, at the moment when a sequence might begin about it. */
export interface Candidate {
  subject: KnownSubject;
  owner: KnownContact;
}

/**
 * Begin the active sequences that this subject triggers. Enrollments about the person's older subjects end as `superseded`: a person is in one
 * conversation per sequence, unless it says `together: many`. A subject that may not start is no error; the first dispatch checks everything again
 * under the lock.
 * @param isWanted - which of them are asked for; by default all
 * Source: docs/rules.md#rule-17
 */
export function beginSequences(draft: Draft, candidate: Candidate, isWanted: (definition: SequenceDefinition) => boolean = () => true): Begun {
  const ofAll = keptFromAll(draft, candidate);
  if (ofAll !== null) return { begun: [], keptFrom: [{ sequence: null, reason: ofAll, detail: null }] };
  const result: Begun = { begun: [], keptFrom: [] };
  for (const sequence of draft.world.sequences.filter((s) => isAbout(draft, candidate, s) && isWanted(s.version.definition))) {
    const rivals = rivalsOf(draft, candidate, sequence);
    const reason = keptFrom(draft, candidate, sequence) ?? (rivals === null ? 'newer_runs' : null);
    if (reason !== null || rivals === null) {
      result.keptFrom.push({ sequence: sequence.version.slug, reason: reason ?? 'newer_runs', detail: null });
      continue;
    }
    const next = draft.begin(beginning(draft, candidate, sequence));
    for (const { id } of rivals) draft.end([id], 'superseded', { data: { by_enrollment: next.id } });
    result.begun.push(next);
  }
  if (result.begun.length === 0 && result.keptFrom.length === 0)
    result.keptFrom.push({ sequence: null, reason: isLeftToCampaigns(draft, candidate, isWanted) ? 'campaigns_alone' : 'no_sequence', detail: null });
  return result;
}

/** What began, and what kept the other sequences about such a subject from beginning. */
export interface Begun {
  begun: Beginning[];
  keptFrom: KeptFrom[];
}

/** What keeps a subject from every sequence, whatever the subject is. */
function keptFromAll(draft: Draft, { subject, owner }: Candidate): NoSequenceReason | null {
  const person = draft.contact(owner.personId);
  if (isClosed(person.lifecycle)) return 'do_not_contact';
  // The order may have arrived before this older event.
  if (person.lastOrderAt !== null && person.lastOrderAt >= subject.lastActivityAt) return 'ordered_since';
  if (isClosedEverywhere(draft, person.id)) return 'opted_out';
  return draft.identitiesOf([person.id]).length === 0 ? 'unknown_person' : null;
}

// What a campaign uses is begun by campaigns (operations/campaigns/route-leads.ts): nobody gets it twice.
const isAbout = (draft: Draft, candidate: Candidate, sequence: ActiveSequence) => sequence.inCampaigns !== true && isFor(draft, candidate, sequence);

const isLeftToCampaigns = (draft: Draft, candidate: Candidate, isWanted: (definition: SequenceDefinition) => boolean) =>
  draft.world.sequences.some((s) => s.inCampaigns === true && isFor(draft, candidate, s) && isWanted(s.version.definition));

const isFor = (draft: Draft, { subject }: Candidate, { version: { definition } }: ActiveSequence) =>
  triggersOf(draft.kindOf(subject.kind)).includes(definition.on) &&
  // Who has never been in the chat has not left it.
  (!isAboutGhost(definition) || subject.chat.lastInteractionAt !== null);

/** What keeps one sequence from beginning; null: nothing. */
function keptFrom(draft: Draft, { subject, owner }: Candidate, sequence: ActiveSequence): NoSequenceReason | null {
  const { definition, version } = sequence.version;
  const { tenant } = draft.context;
  const plan = compilePlan(definition, version, tenant.timeScale);
  const before = keptFromBefore(draft, { subject, owner }, sequence);
  if (before !== null) return before;
  if (isTooOld(draft, { subject, owner }, sequence)) return 'too_old';
  // A subject starts no workflow until a channel of the sequence could reach the person (rule 10).
  const kinds = draft.identitiesOf([owner.personId]).map((i) => i.kind);
  return plan.steps.some((step) => step.channels.some((c) => kinds.some((kind) => addressKindsOf(c).some((one) => one === kind))))
    ? null
    : 'no_address';
}

/** It was active last longer ago than its sequence may send anything. */
export function isTooOld(draft: Draft, candidate: Candidate, { version: { definition, version } }: ActiveSequence): boolean {
  const { nowMs, tenant } = draft.context;
  return nowMs > anchorOf(draft, candidate, definition) + compilePlan(definition, version, tenant.timeScale).maxAgeMs;
}

/** From when its steps count: the last activity, of a silence the last contact. A provider's clock that runs ahead puts it into no future. */
function anchorOf(draft: Draft, { subject, owner }: Candidate, definition: SequenceDefinition): number {
  if (!isAboutSilence(definition)) return subject.lastActivityAt;
  return Math.min(lastContactOf(subject, draft.contactsOf([owner.personId])), draft.context.nowMs);
}

/** What was said since, and the subject's earlier ways through the sequence. */
export function keptFromBefore(
  draft: Draft,
  { subject, owner }: Candidate,
  sequence: ActiveSequence,
): Extract<NoSequenceReason, 'contacted' | 'replied' | 'declined' | 'took_part' | 'cooldown' | 'took_over_too_often'> | null {
  const { definition } = sequence.version;
  const { nowMs, tenant } = draft.context;
  const person = draft.contact(owner.personId);
  const known = draft.enrollmentsAbout([subject.id]).filter((enrollment) => enrollment.sequenceId === sequence.id);
  // Who asks again about something else is the same person, who has just been through it.
  const others = draft.kindOf(subject.kind).isInquiry === true ? endedAboutOthers(draft, { subject, owner }, sequence) : [];
  if (isAboutSilence(definition)) {
    if (subject.noSequence?.keptFrom.some(({ reason }) => reason === 'declined') === true) return 'declined';
    // A lead is reminded once of a chat, however often they come back and leave again.
    if (isAboutGhost(definition) && subject.chat.ghostReminderSent) return 'took_part';
    // Whatever was said is where the silence is counted from.
    if (definition.reentry === 'once-per-silence') return keptFromSilence(known, anchorOf(draft, { subject, owner }, definition));
    return keptFromReentry(known, definition, nowMs, tenant.timeScale);
  }
  if (definition.stopOn.includes('contacted') && wasContacted(subject, person)) return 'contacted';
  // The reply may have arrived before this older event.
  if (definition.stopOn.includes('replied') && person.lastReplyAt !== null && person.lastReplyAt > subject.lastActivityAt) return 'replied';
  const reason = keptFromReentry(known, definition, nowMs, tenant.timeScale);
  if (reason !== null || typeof definition.reentry === 'string') return reason;
  return keptFromReentry(others, definition, nowMs, tenant.timeScale) === 'cooldown' ? 'cooldown' : null;
}

/** The person's ways through the sequence about other subjects. Where a newer subject took over, the way went on with that one. */
const endedAboutOthers = (draft: Draft, { subject, owner }: Candidate, sequence: ActiveSequence): KnownEnrollment[] =>
  draft
    .endedEnrollmentsOf([owner.personId])
    .filter((e) => e.sequenceId === sequence.id && e.subjectId !== subject.id && e.activatedAt !== null && e.stopReason !== 'superseded');

/** One enrollment for each silence: none while one is open, and none about a silence that another has had. */
function keptFromSilence(known: readonly KnownEnrollment[], anchorMs: number): 'took_part' | null {
  const isPassing = ({ activatedAt, stopReason }: KnownEnrollment) =>
    activatedAt === null && stopReason !== null && (stopReason === 'superseded' || passingEnds.includes(stopReason));
  const keeps = known.some((enrollment) => enrollment.endedAt === null || (enrollment.anchorAt >= anchorMs && !isPassing(enrollment)));
  return keeps ? 'took_part' : null;
}

/** A colleague has spoken about this subject, or with its person after it had begun; the call may have arrived first. */
export function wasContacted(
  { contactedAt, startedAt }: Pick<KnownSubject, 'contactedAt' | 'startedAt'>,
  { lastContactedAt }: Pick<KnownContact, 'lastContactedAt'>,
): boolean {
  return contactedAt !== null || (lastContactedAt !== null && lastContactedAt >= startedAt);
}

/** The person's enrollments that the new one supersedes. @returns null: one of them is about a newer subject and goes on instead */
function rivalsOf(draft: Draft, { subject, owner }: Candidate, { id, version }: ActiveSequence): KnownEnrollment[] | null {
  if (version.definition.together === 'many') return [];
  const rivals = draft
    .openEnrollmentsOf([owner.personId])
    .filter((enrollment) => enrollment.sequenceId === id && enrollment.subjectId !== subject.id);
  return rivals.some((enrollment) => draft.subject(enrollment.subjectId).lastActivityAt > subject.lastActivityAt) ? null : rivals;
}

// Ended before activation for a reason that may pass: an order for something else or a test order, an emptied or deleted cart, one that the sequence is
// not for as it was, or another enrollment about the same subject went on. Earlier builds wrote `not_abandoned` and `expired` for most of these.
const passingEnds: readonly StopReason[] = [
  'purchased_elsewhere',
  'order_void',
  'emptied',
  'cart_deleted',
  'not_abandoned',
  'expired',
  'filtered',
  'merged',
];
// A person who alternates between two subjects must not start a workflow with every click.
const mostTakeovers = 3;

/** Re-entry: once per subject, or again after the sequence's cooldown. @param known - of this sequence, about this subject or others of the person */
function keptFromReentry(
  known: readonly KnownEnrollment[],
  { reentry }: SequenceDefinition,
  nowMs: number,
  timeScale: number,
): 'took_part' | 'cooldown' | 'took_over_too_often' | null {
  if (known.filter((enrollment) => enrollment.stopReason === 'superseded').length >= mostTakeovers) return 'took_over_too_often';
  const cooldownMs = typeof reentry === 'string' ? null : reentry.cooldownMs / timeScale;
  const keeps = known.some((enrollment) => {
    if (enrollment.endedAt === null) return true;
    if (enrollment.activatedAt === null && enrollment.stopReason !== null)
      return enrollment.stopReason !== 'superseded' && !passingEnds.includes(enrollment.stopReason);
    return cooldownMs === null || nowMs < enrollment.endedAt + cooldownMs;
  });
  if (!keeps) return null;
  return cooldownMs === null ? 'took_part' : 'cooldown';
}

/** An enrollment as its subject and owner stand now, anchored at the last activity. */
export function beginning(draft: Draft, { subject, owner }: Candidate, sequence: ActiveSequence): Omit<Beginning, 'id'> {
  const { settings, timeScale } = draft.context.tenant;
  const kind = draft.kindOf(subject.kind);
  // The shop may not say that they have bought before.
  const anOrder = owner.lifecycle === 'CONVERTED' ? [{ currency: '', orders: 1, netMinor: 0 }] : [];
  const segment = baseSegment(withOwnOrders(owner.details, anOrder, settings.currency), settings);
  const details = kind.details.parse(subject.details);
  return {
    sequenceId: sequence.id,
    versionId: sequence.versionId,
    contactId: owner.id,
    subjectId: subject.id,
    subjectKind: subject.kind,
    segment: kind.segment(segment, details, owner.details, settings),
    valueMinor: subject.valueMinor,
    currency: subject.currency,
    timeScale,
    anchorAt: anchorOf(draft, { subject, owner }, sequence.version.definition),
    enrolled: {
      version: sequence.version.version,
      value_minor: subject.valueMinor,
      currency: subject.currency,
      items: kind.count(details),
      segment,
    },
  };
}
