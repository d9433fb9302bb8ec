import { addressKindsOf } from '../../../domain/channels/index.ts';
import { isClosed } from '../../../domain/people/lifecycle.ts';
import { type BandMove, decideBandMove, type InterventionBand, riskEntered } from '../../../domain/risk/band-move.ts';
import type { RiskBand } from '../../../domain/risk/bands.ts';
import { compilePlan } from '../../../domain/sequence/compile-plan.ts';
import { account } from '../../../domain/subjects/account/index.ts';
import type { NoSequenceReason } from '../../../domain/subjects/no-sequence.ts';
import { pointOf } from '../../dispatch/assignment.ts';
import type { StoredWorth } from '../../interventions/worth.ts';
import type { Draft } from '../../intake/draft.ts';
import type { ActiveSequence, KnownEnrollment } from '../../intake/world.ts';
import { beginning, type Candidate } from './begin.ts';
import { isClosedEverywhere } from './suppressions.ts';

/** What an assessment has led to. */
export interface Intervention {
  /** The enrollments that ended, and why. */
  ended: { id: string; reason: 'recovered' | 'band_raised' }[];
  begun: string | null;
  /** What kept the band's sequence from beginning; null: it began, or none was to. */
  keptFrom: NoSequenceReason | null;
  /** The band that is acted upon by now. */
  handled: RiskBand;
}

/** The open enrollments of sequences about bands of risk, about one account. */
export const riskRunsAbout = (draft: Draft, subjectId: string): (KnownEnrollment & { band: InterventionBand })[] =>
  draft.enrollmentsAbout([subjectId]).flatMap((enrollment) => {
    const { on, band } = enrollment.version.definition;
    return enrollment.endedAt === null && on === riskEntered && band !== undefined ? [{ ...enrollment, band }] : [];
  });

/**
 * Carry out what an account's band leads to, under its person's lock: end what runs for a lower band, and begin the sequence of the one that it has come
 * into. Where no such sequence takes anybody in at the moment, the entry is not used up.
 * @param worth - what it is expected to be worth, kept with its story
 * @param isAsked - a person asks for it: the band's sequence begins whether or not the account has just come into the band
 * Source: docs/rules.md#rule-83
 */
export function intervene(
  draft: Draft,
  subjectId: string,
  { handled, now, isAsked = false, worth = null }: { handled: RiskBand; now: RiskBand; isAsked?: boolean; worth?: StoredWorth | null },
): Intervention {
  const runs = riskRunsAbout(draft, subjectId);
  const move = moveOf({ handled, now, running: runs.map(({ band }) => band) }, isAsked);
  const ended = runs.flatMap(({ id, band }) => move.end.filter((end) => end.band === band).map(({ reason }) => ({ id, reason })));
  for (const { id, reason } of ended) draft.end([id], reason, { data: { band: now } });
  const subject = draft.subject(subjectId);
  noteBand(draft, subjectId, now);
  if (move.begin === null) return { ended, begun: null, keptFrom: null, handled: now };
  const owner = draft.findContact(subject.contactId);
  const sequence = sequenceOf(draft, move.begin);
  if (sequence === undefined) return { ended, begun: null, keptFrom: 'no_sequence', handled };
  // An account outside the rollout share enters once the share is raised.
  if (owner !== null && !isAsked && !isRolledOutTo(draft, owner.personId)) return { ended, begun: null, keptFrom: 'not_rolled_out', handled };
  const reason = owner === null ? 'unknown_person' : keptFrom(draft, { subject, owner }, sequence);
  if (owner === null || reason !== null) return { ended, begun: null, keptFrom: reason, handled: now };
  const usual = beginning(draft, { subject: draft.subject(subjectId), owner }, sequence);
  const begun = draft.begin({
    ...usual,
    anchorAt: draft.context.nowMs,
    enrolled: { ...usual.enrolled, by: 'risk', band: now, ...(worth === null ? {} : { worth }) },
  });
  draft.moveLifecycle(owner.id, 'begun');
  return { ended, begun: begun.id, keptFrom: null, handled: now };
}

/** The share of people who get interventions grows without anybody leaving it, because each person has a place of their own. Source: docs/rules.md#rule-98 */
const isRolledOutTo = (draft: Draft, personId: string): boolean =>
  draft.context.tenant.isIntervening && pointOf('interventions', personId) * 100 < draft.context.tenant.settings.interventionRollout;

/** Keep the band with the account, where conditions of steps ask for it. Nothing begins or ends. */
export function noteBand(draft: Draft, subjectId: string, now: RiskBand): Intervention {
  const details = account.details.parse(draft.subject(subjectId).details);
  if (details.band !== now) draft.changeSubject(subjectId, { details: { ...details, band: now } });
  return { ended: [], begun: null, keptFrom: null, handled: 'none' };
}

function moveOf(stand: Parameters<typeof decideBandMove>[0], isAsked: boolean): BandMove {
  const usual = decideBandMove(stand);
  if (!isAsked || stand.now === 'none' || usual.begin !== null || stand.running.length > 0) return usual;
  return { ...usual, begin: stand.now };
}

/** The sequence of a band that takes people in. Of several, the one that comes first by its name. */
const sequenceOf = (draft: Draft, band: InterventionBand): ActiveSequence | undefined =>
  draft.world.sequences
    .filter(({ version: { definition }, inCampaigns }) => definition.on === riskEntered && definition.band === band && inCampaigns !== true)
    .toSorted((a, b) => (a.version.slug < b.version.slug ? -1 : 1))[0];

function keptFrom(draft: Draft, { subject, owner }: Candidate, sequence: ActiveSequence): NoSequenceReason | null {
  const person = draft.contact(owner.personId);
  if (isClosed(person.lifecycle)) return 'do_not_contact';
  if (isClosedEverywhere(draft, person.id)) return 'opted_out';
  const { definition, version } = sequence.version;
  const { nowMs, tenant } = draft.context;
  if (typeof definition.reentry === 'object') {
    const cooldownMs = definition.reentry.cooldownMs / tenant.timeScale;
    const before = draft.enrollmentsAbout([subject.id]).filter(({ sequenceId }) => sequenceId === sequence.id);
    if (before.some(({ endedAt }) => endedAt !== null && nowMs < endedAt + cooldownMs)) return 'cooldown';
  }
  const kinds = draft.identitiesOf([owner.personId]).map(({ kind }) => kind);
  const reaches = compilePlan(definition, version, tenant.timeScale).steps.some((step) =>
    step.channels.some((channel) => {
      const needed = addressKindsOf(channel);
      return channel !== 'none' && (needed.length === 0 || kinds.some((kind) => needed.some((one) => one === kind)));
    }),
  );
  return reaches ? null : 'no_address';
}
