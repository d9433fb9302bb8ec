import { addressKindsOf, type Channel, channels, consentChannelOf } from '../../../domain/channels/index.ts';
import { isClosed } from '../../../domain/people/lifecycle.ts';
import { consentAllows, foldConsent } from '../../../domain/people/consent.ts';
import { compilePlan } from '../../../domain/sequence/compile-plan.ts';
import { mayOverlap } from '../../../domain/sequence/overlap.ts';
import { openChannels } from '../../dispatch/open-channels.ts';
import type { Draft } from '../../intake/draft.ts';
import type { ActiveSequence } from '../../intake/world.ts';
import { beginning, type Candidate, isTooOld, keptFromBefore } from './begin.ts';
import { riskEntered } from '../../../domain/risk/band-move.ts';
import { riskRunsAbout } from './at-risk.ts';
import { campaignOf } from './supersede.ts';
import { isClosedEverywhere } from './suppressions.ts';

/** Why a sequence is not begun by hand. For programs: they reach the API as the `code` of a 409. */
export type HandStartRefusal =
  | 'do_not_contact'
  | 'opted_out'
  | 'bought'
  | 'gone'
  | 'nothing_to_recover'
  | 'already_running'
  | 'another_running'
  | 'no_address'
  | 'suppressed'
  | 'no_consent';

export interface Refused {
  reason: HandStartRefusal;
  /** For people. */
  detail: string;
  /** The enrollment that prevents it; null: something else does. */
  enrollmentId: string | null;
}

/**
 * Begin a sequence that a person asks for. The rules of an automatic start hold, but for two that a person may overrule: a subject may
 * go through its sequence again, and it may be older than the sequence allows. So its steps count from now. It supersedes nothing: where the person
 * is in a conversation already, it is refused.
 */
export function beginByHand(draft: Draft, candidate: Candidate, sequence: ActiveSequence, actor: string): { begun: string } | Refused {
  const refusal = whyNot(draft, candidate, sequence);
  if (refusal !== null) return refusal;
  const usual = beginning(draft, candidate, sequence);
  const before = draft.enrollmentsAbout([candidate.subject.id]).filter((enrollment) => enrollment.sequenceId === sequence.id);
  const begun = draft.begin({
    ...usual,
    anchorAt: draft.context.nowMs,
    enrolled: { ...usual.enrolled, by: 'hand', actor, ...(before.length === 0 ? {} : { after: before.at(-1)?.id }) },
  });
  draft.moveLifecycle(candidate.owner.id, 'begun');
  return { begun: begun.id };
}

/** Why somebody is not taken in by a bulk enrollment. For programs: they reach the API. */
export type BulkRefusal = HandStartRefusal | NonNullable<ReturnType<typeof keptFromBefore>>;

/**
 * Begin a sequence about one of many old subjects. What is refused by hand is refused here, and nothing is overruled but the age: nobody has looked at
 * this subject. Whoever is held out gets nothing.
 * Source: docs/rules.md#rule-27
 */
export function beginInBulk(draft: Draft, candidate: Candidate, sequence: ActiveSequence, job: string): { begun: string } | { reason: BulkRefusal } {
  const reason = whyNot(draft, candidate, sequence)?.reason ?? keptFromBefore(draft, candidate, sequence);
  if (reason !== null) return { reason };
  const usual = beginning(draft, candidate, sequence);
  const begun = draft.begin({ ...usual, anchorAt: draft.context.nowMs, enrolled: { ...usual.enrolled, by: 'bulk', job } });
  draft.moveLifecycle(candidate.owner.id, 'begun');
  return { begun: begun.id };
}

/** Who puts a lead into a campaign: a person or a program, or routing by its source. */
export type CampaignEntry = { campaignId: string } & ({ by: 'routing' } | { by: 'hand' | 'bulk'; actor: string; note?: string });

/** Why a lead of a campaign is not in its sequence. For programs: they reach the API. */
export type CampaignRefusal = BulkRefusal | 'too_old' | 'another_campaign';

/**
 * Begin the sequence of a campaign about one of its leads. By routing, the steps count from when the lead came in, as they do without campaigns; else from
 * now. What is refused by hand is refused here, and the rules of re-entry hold.
 * Source: docs/rules.md#rule-49
 */
export function beginInCampaign(
  draft: Draft,
  candidate: Candidate,
  sequence: ActiveSequence,
  entry: CampaignEntry,
): { begun: string } | { reason: CampaignRefusal } {
  const refusal = whyNot(draft, candidate, sequence)?.reason ?? keptFromBefore(draft, candidate, sequence);
  if (refusal !== null) return { reason: refusal };
  if (runsInAnother(draft, candidate, sequence, entry.campaignId)) return { reason: 'another_campaign' };
  if (entry.by === 'routing' && isTooOld(draft, candidate, sequence)) return { reason: 'too_old' };
  const usual = beginning(draft, candidate, sequence);
  const { campaignId, ...by } = entry;
  const begun = draft.begin({
    ...usual,
    campaignId,
    ...(entry.by === 'routing' ? {} : { anchorAt: draft.context.nowMs }),
    enrolled: { ...usual.enrolled, ...by, campaign: campaignId },
  });
  draft.moveLifecycle(candidate.owner.id, 'begun');
  return { begun: begun.id };
}

function whyNot(draft: Draft, candidate: Candidate, sequence: ActiveSequence): Refused | null {
  return (
    whyNotTheSubject(draft, candidate) ??
    whyNotThePerson(draft, candidate) ??
    whatRuns(draft, candidate, sequence) ??
    whyUnreachable(draft, candidate, sequence)
  );
}

const refused = (reason: HandStartRefusal, detail: string, enrollmentId: string | null = null): Refused => ({ reason, detail, enrollmentId });

function whyNotTheSubject(draft: Draft, { subject }: Candidate): Refused | null {
  const kind = draft.kindOf(subject.kind);
  const { noun, source } = kind.words;
  if (subject.state === 'converted') return refused('bought', `The ${noun} was bought.`);
  if (subject.state === 'gone') return refused('gone', `The ${source} deleted the ${noun}: there is nothing to lead back to.`);
  const known = { ...subject, details: kind.details.parse(subject.details) };
  const unfit = kind.unfit(known, draft.context.tenant.settings, null);
  if (unfit !== null) return refused('nothing_to_recover', `No sequence is begun about this ${noun}: ${unfit}.`);
  return kind.endsBy(known) === null ? null : refused('nothing_to_recover', `There is nothing left in the ${noun}.`);
}

function whyNotThePerson(draft: Draft, { subject, owner }: Candidate): Refused | null {
  const { noun, person: whose } = draft.kindOf(subject.kind).words;
  const person = draft.contact(owner.personId);
  const everyone = draft.contactsOf([person.id]);
  if (everyone.some((c) => isClosed(c.lifecycle))) {
    return refused('do_not_contact', `The ${whose} is not to be contacted any more. That is final.`);
  }
  if (isClosedEverywhere(draft, person.id)) return refused('opted_out', `Marketing to the ${whose} was closed by an opt-out or a complaint.`);
  const orders = everyone.flatMap((c) => c.lastOrderAt ?? []);
  return orders.some((at) => at >= subject.lastActivityAt) ? refused('bought', `The ${whose} has ordered since the ${noun} was last used.`) : null;
}

function whatRuns(draft: Draft, { subject, owner }: Candidate, { id, version }: ActiveSequence): Refused | null {
  const { noun, person } = draft.kindOf(subject.kind).words;
  const open = draft.openEnrollmentsOf([owner.personId]).filter((enrollment) => enrollment.sequenceId === id);
  const own =
    open.find((enrollment) => enrollment.subjectId === subject.id) ??
    draft.enrollmentsAbout([subject.id]).find((enrollment) => enrollment.sequenceId === id && enrollment.endedAt === null);
  const justNow = begunNow(draft, owner.personId).find((begun) => begun.sequenceId === id);
  if (justNow !== undefined) return refused('already_running', `The sequence ${version.slug} has just begun for the ${person}.`, justNow.id);
  if (own !== undefined) return refused('already_running', `The sequence ${version.slug} is running about this ${noun} already.`, own.id);
  // Of the sequences about bands of risk one runs about an account at a time.
  const other = version.definition.on === riskEntered ? riskRunsAbout(draft, subject.id)[0] : undefined;
  if (other !== undefined)
    return refused('another_running', `The sequence ${other.version.slug} is running about this ${noun}. Stop that one first.`, other.id);
  const [rival] = version.definition.together === 'many' ? [] : open;
  if (rival === undefined) return null;
  return refused('another_running', `The ${person} is in the sequence ${version.slug} about another ${noun}. Stop that one first.`, rival.id);
}

/** A sequence of another campaign runs, or was begun just now, beside which this one may not run: by its own word or by the other's. */
function runsInAnother(draft: Draft, { owner }: Candidate, { version }: ActiveSequence, campaignId: string): boolean {
  const own = { campaignId, definition: version.definition };
  const begun = begunNow(draft, owner.personId).flatMap(({ sequenceId, campaignId: of = null }) => {
    const definition = draft.world.sequences.find(({ id }) => id === sequenceId)?.version.definition;
    return definition === undefined ? [] : [{ campaignId: of, definition }];
  });
  return [...draft.openEnrollmentsOf([owner.personId]).map(campaignOf), ...begun].some((other) => !mayOverlap(own, other));
}

/** What this very decision has begun for the person: routing goes through several campaigns at once. */
const begunNow = (draft: Draft, personId: string) =>
  draft.changes.beginnings.filter(({ contactId }) => draft.contact(contactId).personId === personId);

/**
 * Why no channel of the sequence is open, by the reasons for which steps are skipped (docs/rules.md, rules 7 and 14); of several, the most
 * informative one.
 */
function whyUnreachable(draft: Draft, { owner, subject }: Candidate, { version: { definition, version, slug } }: ActiveSequence): Refused | null {
  const { person } = draft.kindOf(subject.kind).words;
  const { timeScale, settings } = draft.context.tenant;
  const planned = compilePlan(definition, version, timeScale).steps.flatMap((step) => step.channels);
  const used = [...new Set(planned)].filter((channel) => channels[channel].address !== null);
  const identities = draft.identitiesOf([owner.personId]);
  const hashOf = draft.context.addressHash;
  const blocked = draft.suppressions().map((s) => ({ channel: s.channel, hash: s.addressHash, reason: s.reason }));
  const open = openChannels(identities, blocked, hashOf);
  const said = draft.consentsOf(draft.contactsOf([owner.personId]).map((c) => c.id));
  const closedBy = (channel: Channel): 'no_address' | 'suppressed' | 'no_consent' | null => {
    if (!identities.some((i) => addressKindsOf(channel).some((kind) => kind === i.kind))) return 'no_address';
    if (open.isClosed(channel) || open.usable(channel, identities).length === 0) return 'suppressed';
    const consent = foldConsent(said.filter((c) => c.channel === consentChannelOf(channel) || c.channel === 'all'));
    return consentAllows(consent, settings.requireConsent.includes(channel)) ? null : 'no_consent';
  };
  const closed = used.map(closedBy);
  if (closed.length === 0 || closed.includes(null)) return null;
  const reason = (['suppressed', 'no_consent', 'no_address'] as const).find((r) => closed.includes(r)) ?? 'no_address';
  const sentences = {
    no_address: `No address of the ${person} is known that the sequence ${slug} could write to.`,
    suppressed: `Messages to the ${person} are blocked on every channel of the sequence ${slug}: by an opt-out, a complaint or a bounce.`,
    no_consent: `The ${person} has not consented to any channel of the sequence ${slug}.`,
  };
  return refused(reason, sentences[reason]);
}
