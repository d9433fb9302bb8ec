import { addressOf } from '../../domain/channels/index.ts';
import { NotYetError } from '../intake/found.ts';
import type { Effect, EventOf } from './effect.ts';

/** Longer than a worker keeps trying to store the outcome of a call while Postgres recovers by itself. */
const outcomeIsStoredWithinMs = 10 * 60_000;

/**
 * What a provider says about a message of ours later. Delivered: it was accepted, whatever the call's own outcome was. Failed: it did not reach the
 * person; nothing is resent, and nothing more is sent to an address that will never accept a message.
 */
export const messageReceipt: Effect<EventOf<'message.delivered'> | EventOf<'message.failed'>> = {
  stops: 'never',
  reads: ['message'],
  message: (event) => event.message,
  decide(event, draft) {
    const { message } = draft.world;
    const { type, occurredAtMs, detail } = event;
    if (message === null) {
      // A receipt may overtake the answer of the call, and providers do not repeat what was answered 2xx. A receipt that still finds no message after
      // that belongs to another installation at the same account.
      if (draft.context.nowMs - occurredAtMs < outcomeIsStoredWithinMs) throw new NotYetError('the message of a receipt');
      return;
    }
    draft.changes.receipts.push({
      messageId: message.id,
      enrollmentId: message.enrollmentId,
      stepId: message.stepId,
      type,
      atMs: occurredAtMs,
      detail,
    });
    const address = message.payload === null ? null : addressOf(message.payload);
    if (type === 'message.delivered' || !event.permanent || address === null) return;
    const addressHash = draft.context.addressHash(address);
    draft.addSuppression({ addressHash, channel: message.payload?.channel ?? 'all', reason: 'bounce', basis: 'record', sinceMs: occurredAtMs });
  },
};
