import type { Effect, EventOf } from './effect.ts';

/** Recorded for the operator; nothing carries it out yet. */
export const privacyRequested: Effect<EventOf<'privacy.requested'>> = {
  stops: 'never',
  reads: [],
  decide(event, draft) {
    const [contactId] = draft.found.named;
    draft.changes.privacyRequests.push({ topic: event.topic, contactId: contactId ?? null, requestedAtMs: event.occurredAtMs });
  },
};
