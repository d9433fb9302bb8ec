import type { Effect, EventOf } from './effect.ts';

/** Recorded; `operations/privacy/start-pass.ts` makes an erasure or an export of it. */
export const privacyRequested: Effect<EventOf<'privacy.requested'>> = {
  stops: 'never',
  reads: [],
  decide(event, draft) {
    const [contactId] = draft.found.named;
    draft.changes.privacyRequests.push({ topic: event.topic, contactId: contactId ?? null, requestedAtMs: event.occurredAtMs });
  },
};
