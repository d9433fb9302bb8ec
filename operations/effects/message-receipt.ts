import { addressOf } from '../../domain/channels/index.ts';
import type { Effect, EventOf } from './effect.ts';
import { awaitMessage } from './rules/await-message.ts';

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
    if (message === null) return awaitMessage(draft, event);
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
