import type { Draft } from '../../intake/draft.ts';
import type { KnownEnrollment, KnownSubject } from '../../intake/world.ts';
import { endBoughtSubject, endContacted, endRunsAbout } from './ends.ts';

/**
 * Several subjects turned out to be the same. The one with an open enrollment stays, else the oldest; keys, enrollments and orders of the
 * others become its own, so that re-entry and credit see the whole history.
 * @returns the id of the subject that stays
 */
export function uniteSubjects(draft: Draft, ids: readonly string[]): string {
  const known = draft.enrollmentsAbout(ids).sort((a, b) => Number(a.activatedAt === null) - Number(b.activatedAt === null) || (a.id < b.id ? -1 : 1));
  const open = known.filter((enrollment) => enrollment.endedAt === null);
  const goingOn = open.filter((enrollment) => goesOn(enrollment, known));
  const kept = goingOn[0]?.subjectId ?? [...ids].sort()[0];
  if (kept === undefined) throw new TypeError('nothing to unite');
  const others = ids.filter((id) => id !== kept);
  draft.end(
    open.filter((enrollment) => !goingOn.includes(enrollment)).map((enrollment) => enrollment.id),
    'merged',
  );
  for (const id of others) draft.changes.united.push({ id, kept });
  for (const enrollment of draft.enrollmentsAbout(others)) draft.moveEnrollment(enrollment.id, { subjectId: kept });
  foldInto(draft, kept, others);
  return kept;
}

/**
 * A subject goes through a sequence once: of several open enrollments an activated one goes on, and one that was not activated ends if any was.
 * @param known - of all the subjects, ended ones too; the activated first, each in order of age
 */
function goesOn(enrollment: KnownEnrollment, known: readonly KnownEnrollment[]): boolean {
  const rivals = known.filter((other) => other.sequenceId === enrollment.sequenceId);
  if (enrollment.activatedAt === null && rivals.some((other) => other.activatedAt !== null)) return false;
  return rivals.find((other) => other.endedAt === null)?.id === enrollment.id;
}

function foldInto(draft: Draft, kept: string, others: readonly string[]): void {
  const all = [kept, ...others].map((id) => draft.subject(id)).sort((a, b) => b.lastActivityAt - a.lastActivityAt);
  const [newest, ...older] = all;
  if (newest === undefined) return;
  const kind = draft.kindOf(newest.kind);
  const detailsOf = (s: KnownSubject) => kind.details.parse(s.details);
  const latestOf = (times: (number | null)[]) => times.reduce((latest, atMs) => (atMs === null ? latest : Math.max(latest ?? atMs, atMs)), null);
  const contactedAt = latestOf(all.map((s) => s.contactedAt));
  const state = (['converted', 'gone'] as const).find((ended) => all.some((s) => s.state === ended));
  draft.changeSubject(kept, {
    details: kind.unite([detailsOf(newest), ...older.map(detailsOf)]),
    valueMinor: newest.valueMinor,
    currency: newest.currency,
    lastActivityAt: newest.lastActivityAt,
    contactedAt,
    lastContactAt: latestOf(all.map((s) => s.lastContactAt)),
    chat: {
      lastInteractionAt: latestOf(all.map((s) => s.chat.lastInteractionAt)),
      ghostReminderSent: all.some((s) => s.chat.ghostReminderSent),
      viewingScheduledAt: latestOf(all.map((s) => s.chat.viewingScheduledAt)),
    },
    contactId: draft.subject(kept).contactId ?? all.find((s) => s.contactId !== null)?.contactId ?? null,
    ...(state === undefined ? {} : { state }),
  });
  for (const id of others) draft.changeSubject(id, { state: 'gone' });
  if (state === 'converted') endBoughtSubject(draft, kept);
  // What was deleted under one of its keys is deleted.
  if (state === 'gone') endRunsAbout(draft, kept, 'cart_deleted');
  if (contactedAt !== null) endContacted(draft, kept, contactedAt);
}
