import { scaled } from '../../../domain/sequence/time-scale.ts';
import type { Draft } from '../../intake/draft.ts';

const hourMs = 3_600_000;

/**
 * A person answers from now on: nothing is sent to these persons until it is released or ends by itself. Where somebody has taken over already, the time
 * begins anew.
 * @param actor - who did it by hand; null: a reply did
 */
export function takeOver(draft: Draft, personIds: readonly string[], actor: string | null): void {
  const { nowMs, tenant } = draft.context;
  const { takeoverHours } = tenant.settings;
  const takenOverUntil = takeoverHours === null ? null : nowMs + scaled(takeoverHours * hourMs, tenant.timeScale);
  for (const id of personIds) draft.changeContact(id, { takenOverAt: draft.contact(id).takenOverAt ?? nowMs, takenOverUntil });
  draft.coverPersons(personIds);
  const data = { ...(takenOverUntil === null ? {} : { until_ms: takenOverUntil }), ...(actor === null ? {} : { actor }) };
  for (const { id } of draft.openEnrollmentsOf(personIds)) draft.addStoryEntry({ enrollmentId: id, type: 'taken_over', data });
}

/** The conversation is over: what waits goes on at once, and what is too old by then is skipped. */
export function release(draft: Draft, personIds: readonly string[], actor: string): void {
  const held = draft.contactsOf(personIds).filter((c) => c.takenOverAt !== null);
  for (const { id } of held) draft.changeContact(id, { takenOverAt: null, takenOverUntil: null });
  if (held.length === 0) return;
  for (const { id } of draft.openEnrollmentsOf(personIds)) {
    draft.addStoryEntry({ enrollmentId: id, type: 'released', data: { actor } });
    draft.wake(id);
  }
}
