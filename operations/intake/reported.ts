import type { DomainEvent } from '../../domain/events.ts';
import type { Draft } from './draft.ts';
import { iso } from './stored-rows.ts';

/** An event as outgoing webhooks tell it: ids, no personal data. `data` of db/schema/webhooks.ts. */
export interface Reported {
  type: string;
  occurred_at: string;
  connection_id: string | null;
  delivery_id: string | null;
  contact_id: string | null;
  subject_id: string | null;
  order_id?: string | null;
  channel?: string | null;
}

// Receipts and calls are told by the story of their enrollment, which knows the step.
const toldByStories: readonly DomainEvent['type'][] = ['message.delivered', 'message.failed', 'call.ended'];

/** What is told of a decided event. A reply or a call that opts out is told as that, too. */
export function reportedOf(event: DomainEvent, draft: Draft): Reported[] {
  const base = baseOf(draft, event.occurredAtMs);
  const own = toldByStories.includes(event.type)
    ? []
    : [{ type: event.type, ...base, ...('order' in event ? { order_id: event.order.externalId } : {}), ...channelOf(event) }];
  return [...own, ...(event.type === 'contact.opted_out' ? [] : optOutsOf(draft, event.occurredAtMs))];
}

/** The opt-outs that a decision has led to. */
export function optOutsOf(draft: Draft, atMs: number): Reported[] {
  const closed = draft.changes.newSuppressions
    .filter(({ reason }) => reason === 'opted_out')
    .map(({ channel }) => (channel === 'all' ? null : channel));
  return [...new Set(closed)].map((channel) => ({ type: 'contact.opted_out', ...baseOf(draft, atMs), channel }));
}

function baseOf(draft: Draft, atMs: number) {
  const { changes, found, context } = draft;
  const subjectId = found.subjects[0] ?? [...changes.newSubjects][0] ?? null;
  const owner = draft.findSubject(subjectId)?.contactId ?? null;
  return {
    occurred_at: iso(atMs),
    connection_id: context.inboxId === null ? null : context.source.connectionId,
    delivery_id: context.inboxId,
    contact_id: owner ?? [...changes.newContacts][0] ?? found.named[0] ?? [...changes.contacts][0] ?? null,
    subject_id: subjectId,
  };
}

const channelOf = (event: DomainEvent): { channel: string | null } | Record<string, never> => ('channel' in event ? { channel: event.channel } : {});
