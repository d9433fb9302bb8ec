import type { Draft } from '../../intake/draft.ts';
import type { MessageRef } from '../../../domain/events.ts';
import { isSendKey, NotYetError } from '../../intake/found.ts';

/** Longer than a worker keeps trying to store the outcome of a call while Postgres recovers by itself. */
const outcomeIsStoredWithinMs = 10 * 60_000;

/**
 * A receipt may overtake the answer of the call, and providers do not repeat what was answered 2xx. One that still finds no message after that belongs to
 * another installation at the same account; one that names the message's own key does so at once, because that is stored before the call.
 * @throws NotYetError while the outcome may still be stored
 */
export function awaitMessage(draft: Draft, { message, occurredAtMs }: { message: MessageRef; occurredAtMs: number }): void {
  if (isSendKey(message.sendKey)) return;
  if (draft.context.nowMs - occurredAtMs < outcomeIsStoredWithinMs) throw new NotYetError('the message of a receipt');
}
