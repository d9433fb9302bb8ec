import type { ChatAct } from '../../../domain/chat/update.ts';
import type { ChatTurn } from '../../../domain/events.ts';
import type { Draft } from '../../intake/draft.ts';
import type { EventOf } from '../effect.ts';

/** Keep what somebody did in a chat with the store's bot, so that it is answered once the delivery is stored. Source: docs/rules.md#rule-69 */
export function keepTurn(draft: Draft, { chat, text }: EventOf<'message.received'>): void {
  const did = chat === undefined ? null : actOf(chat, text);
  if (chat === undefined || did === null) return;
  const { chatId, updateId, act, language, firstName, lastName, late } = chat;
  draft.changes.chatUpdates.push({
    chatId,
    updateId,
    did,
    token: act.kind === 'start' ? act.token : null,
    queryId: act.kind === 'button' ? act.queryId : null,
    languageCode: language,
    name: nameOf(firstName, lastName),
    late,
  });
}

/** Keep that the bot was blocked, or is not any more: what is answered depends on it. */
export function keepStanding(draft: Draft, { chat, type }: EventOf<'contact.opted_out'> | EventOf<'contact.opted_in'>): void {
  if (chat === undefined) return;
  const kind = type === 'contact.opted_out' ? ('blocked' as const) : ('unblocked' as const);
  draft.changes.chatUpdates.push({ ...chat, did: { kind }, token: null, queryId: null, languageCode: null, name: null, late: false });
}

/** @returns null: it is not answered. What was changed afterwards was answered as it came first. */
function actOf({ act }: ChatTurn, text: string | null): ChatAct | null {
  switch (act.kind) {
    case 'edit':
      return null;
    case 'text':
      return text === null ? { kind: 'other' } : { kind: 'text', text };
    case 'start':
      return { kind: 'start' };
    case 'button':
      return { kind: 'button', data: act.value };
    case 'contact':
      return { kind: 'contact', phone: act.phone, own: act.isOwn, name: nameOf(act.firstName, act.lastName) };
  }
}

const nameOf = (first: string | null, last: string | null) => [first, last].filter((name) => name !== null).join(' ') || null;
