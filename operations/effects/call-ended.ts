import { callBackAt } from '../../domain/people/call-wish.ts';
import { addressOf } from '../../domain/channels/index.ts';
import type { Draft } from '../intake/draft.ts';
import { awaitMessage } from './rules/await-message.ts';
import { optOut } from './rules/opt-out.ts';
import { snooze } from './rules/snooze.ts';
import type { Effect, EventOf } from './effect.ts';

type CallEnded = EventOf<'call.ended'>;

/**
 * How a call ended and what was said. However it ended, that it did proves that it was made; the first report of an outcome counts, and a later one may still bring the
 * transcript. Who asks not to be called has opted out; who asks to be called later has what is left of their sequences moved, and a step that reacts to
 * it (`contact.asked_later`) calls back.
 */
export const callEnded: Effect<CallEnded> = {
  stops: 'always',
  reads: ['message', 'runs', 'claims', 'suppressions'],
  message: (event) => event.message,
  decide(event, draft) {
    recordCall(event, draft);
    const { wish, person } = event;
    if (wish?.kind === 'stop') {
      optOut(draft, { ...event, type: 'contact.opted_out', person, channel: 'call', final: false, source: 'call', basis: 'person' });
      return;
    }
    const untilMs = callBackAt(wish, event.endedAtMs ?? event.occurredAtMs, zoneOf(draft));
    if (untilMs !== null) snooze(draft, untilMs);
  },
};

function recordCall(event: CallEnded, draft: Draft): void {
  const { message } = draft.world;
  if (message === null) return awaitMessage(draft, event);
  const { outcome, reason, transcript, keywords, occurredAtMs, startedAtMs, endedAtMs } = event;
  const isKnown = message.call !== null;
  if (!isKnown) {
    draft.changes.receipts.push({
      messageId: message.id,
      enrollmentId: message.enrollmentId,
      stepId: message.stepId,
      type: `call.${outcome}`,
      atMs: occurredAtMs,
      detail: reason,
    });
  }
  if (!isKnown || (transcript !== null && message.call?.hasTranscript === false))
    draft.changes.calls.push({ messageId: message.id, outcome, reason, transcript, keywords, startedAtMs, endedAtMs });
  const address = message.payload === null ? null : addressOf(message.payload);
  if (!event.permanent || address === null) return;
  draft.addSuppression({
    addressHash: draft.context.addressHash(address),
    channel: 'call',
    reason: 'bounce',
    basis: 'record',
    sinceMs: occurredAtMs,
  });
}

/** The clock on which the person meant the time that they said. */
function zoneOf(draft: Draft): string {
  const [first] = draft.found.reached;
  const own = draft.findContact(first ?? null)?.details.timeZone ?? null;
  return own ?? draft.context.tenant.settings.timeZone;
}
