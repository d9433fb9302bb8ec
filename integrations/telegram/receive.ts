import type { ChatAct, ChatTurn, DomainEvent, SubjectKey } from '../../domain/events.ts';
import { normaliseChatId } from '../../domain/people/identity.ts';
import type { Delivery, Normalised, Refusal, Secrets, StoreContext } from '../port.ts';
import { readInstant } from '../read/instant.ts';
import { readLocale } from '../read/locale.ts';
import { type Fields, type Notes, note, readFields } from '../read/notes.ts';
import { nobody, readPhone } from '../read/person.ts';
import { readLines, readText } from '../read/text.ts';
import { type Occurred, occurredAt, understood } from '../read/understood.ts';
import { isToken } from '../shared-token.ts';
import { cleanText } from '../untrusted-text.ts';
import { jsonReceiver } from '../verified-receiver.ts';
import { singleHeader } from '../verify-signature.ts';
import { allowedUpdates } from './config.ts';

const secretHeader = 'x-telegram-bot-api-secret-token';

/**
 * Updates of a bot: what people write and press in their chat with it, and whether they have blocked it. Groups and channels are not the store's leads
 * and are ignored. The same code reads what a webhook delivers and what polling fetches.
 * Source: core.telegram.org/bots/api#update
 */
export const telegramReceiver = jsonReceiver({
  topics: allowedUpdates,
  readsHeaders: [],
  readsChat: true,
  topicHeader: null,
  // Telegram would repeat a refused update for a day, and hold up all that follow it.
  answersUnreadable: 'accept',
  verify: verifySecret,
  dedupeKey({ raw, headers }) {
    const id = updateIdOf(parsed(raw));
    const [, bot = ''] = /^(\d+)_/.exec(String(headers[secretHeader] ?? '')) ?? [];
    return id === null ? null : updateKey(bot, id);
  },
  normalise: readUpdate,
});

/** By which a repeat of an update is recognised, however it comes. Each bot counts for itself, and a connection may get another one. */
export const updateKey = (botId: string, updateId: number): string => `update:${botId}:${updateId}`;

/** An update's number; null: it has none. */
export function updateIdOf(update: unknown): number | null {
  const id = typeof update === 'object' && update !== null && 'update_id' in update ? update.update_id : null;
  return typeof id === 'number' && Number.isSafeInteger(id) && id >= 0 ? id : null;
}

function verifySecret(delivery: Delivery, secrets: Secrets): Refusal | null {
  const given = singleHeader(delivery, secretHeader);
  if (given === null) return 'missing_signature';
  return isToken(secrets, given) ? null : 'bad_signature';
}

function parsed(raw: Buffer): unknown {
  try {
    return JSON.parse(raw.toString('utf8'));
  } catch {
    return null;
  }
}

interface Update {
  id: number;
  notes: Notes;
  store: StoreContext;
  receivedAtMs: number;
}

function readUpdate(delivery: Delivery, body: unknown, store: StoreContext): Normalised {
  const notes: Notes = [];
  const fields = readFields(body, 'body', notes);
  const id = updateIdOf(fields);
  const topic = allowedUpdates.find((name) => fields?.[name] !== undefined) ?? null;
  if (fields === null || id === null) {
    note(notes, 'update_id', 'is missing: this is no update of a bot');
    return understood(topic ?? 'update', [], notes, true);
  }
  // Telegram adds kinds of updates; only those that we ask for come.
  if (topic === null)
    return {
      kind: 'ignored',
      topic:
        cleanText(
          Object.keys(fields).find((name) => name !== 'update_id'),
          100,
        )?.toLowerCase() ?? 'update',
    };
  const update = { id, notes, store, receivedAtMs: delivery.receivedAtMs };
  const content = readFields(fields[topic], topic, notes);
  const events = content === null ? [] : readersOf[topic](update, content);
  return events === 'not_ours' ? { kind: 'ignored', topic } : understood(topic, events, notes, true);
}

type Read = DomainEvent[] | 'not_ours';

const readersOf: Record<(typeof allowedUpdates)[number], (update: Update, content: Fields) => Read> = {
  message: (update, content) => readMessage(update, content, 'message'),
  edited_message: (update, content) => readMessage(update, content, 'edited_message'),
  callback_query: readButton,
  my_chat_member: readMember,
};

/** The private chat of an update; null: it is another kind of chat, or nobody's. */
function chatOf(chat: Fields | null, from: Fields | null): string | null {
  const id = typeof chat?.['id'] === 'number' || typeof chat?.['id'] === 'string' ? normaliseChatId(String(chat['id'])) : null;
  const type = chat?.['type'];
  return id === null || (type !== undefined && type !== 'private') || from?.['is_bot'] === true ? null : id;
}

/** A chat is one lead. */
const keysOf = (chatId: string): SubjectKey[] => [{ kind: 'telegram_chat', value: chatId }];

/** Whether the update names no chat at all, so that nobody can say whose it is. */
const namesNoChat = (chat: Fields | null): boolean => chat === null || (typeof chat['id'] !== 'number' && typeof chat['id'] !== 'string');

function readMessage(update: Update, message: Fields, at: 'message' | 'edited_message'): Read {
  const { notes, store } = update;
  const from = readFields(message['from'], `${at}.from`, notes);
  const chat = readFields(message['chat'], `${at}.chat`, notes);
  const chatId = chatOf(chat, from);
  if (chatId === null) return namesNoChat(chat) ? [] : 'not_ours';
  const stated = at === 'edited_message' ? message['edit_date'] : message['date'];
  const occurred = occurredAt(readInstant(stated, `${at}.date`, notes, store.timeZone), `${at}.date`, notes, update.receivedAtMs);
  const words = message['text'] ?? message['caption'];
  const text = words === undefined || words === '' ? null : readLines(words, `${at}.text`, notes, 4_096);
  const started = at === 'message' ? /^\/start(?:@\w+)?(?:[ \n]+([A-Za-z0-9_-]{1,64}))?\s*$/.exec(text ?? '') : null;
  const contact = readFields(message['contact'], `${at}.contact`, notes);
  const shared = contact === null ? null : readContact(contact, from, `${at}.contact`, update);
  const act: ChatAct = shared ?? (started === null ? { kind: at === 'message' ? 'text' : 'edit' } : { kind: 'start', token: started[1] ?? null });
  const turn = turnOf(update, chatId, from, act, occurred, `${at}.from`);
  // What stands behind the command leads to a lead, and is nothing that they have said.
  const said = started === null ? text : '/start';
  const person = { email: null, phone: null, externalId: null, telegram: chatId };
  const received: DomainEvent = { type: 'message.received', ...occurred, person, channel: 'telegram', text: said, chat: turn, keys: keysOf(chatId) };
  if (shared?.isOwn !== true) return [received];
  const owner = { ...nobody, telegram: chatId, phone: shared.phone, firstName: shared.firstName, lastName: shared.lastName };
  return [{ type: 'contact.updated', ...occurred, person: owner }, received];
}

/** A number that is shared as the person's own: Telegram says whose account has it. */
function readContact(contact: Fields, from: Fields | null, at: string, { notes, store }: Update): Extract<ChatAct, { kind: 'contact' }> | null {
  const written = typeof contact['phone_number'] === 'string' ? contact['phone_number'].trim() : contact['phone_number'];
  // Numbers come in full, with or without the plus sign.
  const full = typeof written === 'string' && /^\d{7,15}$/.test(written) ? `+${written}` : written;
  const phone = readPhone([{ value: full, path: `${at}.phone_number` }], notes, store, null);
  if (phone === null) return null;
  return {
    kind: 'contact',
    phone,
    firstName: readText(contact['first_name'], `${at}.first_name`, notes, 100),
    lastName: readText(contact['last_name'], `${at}.last_name`, notes, 100),
    isOwn: contact['user_id'] !== undefined && contact['user_id'] === from?.['id'],
  };
}

/** A button says when it was pressed no more than when it arrives. */
function readButton(update: Update, query: Fields): Read {
  const { notes, receivedAtMs } = update;
  const from = readFields(query['from'], 'callback_query.from', notes);
  const message = readFields(query['message'], 'callback_query.message', notes);
  // An inline message lies in somebody else's chat.
  if (message === null && query['inline_message_id'] !== undefined) return 'not_ours';
  const chat = readFields(message?.['chat'], 'callback_query.message.chat', notes) ?? from;
  const chatId = chatOf(chat, from);
  if (chatId === null) return namesNoChat(chat) ? [] : 'not_ours';
  const value = cleanText(query['data'], 64);
  const queryId = cleanText(query['id'], 100);
  if (value === null || queryId === null) return 'not_ours';
  const messageId = typeof message?.['message_id'] === 'number' ? String(message['message_id']) : null;
  const occurred = { occurredAtMs: receivedAtMs };
  const turn = turnOf(update, chatId, from, { kind: 'button', value, queryId, messageId }, occurred, 'callback_query.from');
  const person = { email: null, phone: null, externalId: null, telegram: chatId };
  return [{ type: 'message.received', ...occurred, person, channel: 'telegram', text: null, chat: turn, keys: keysOf(chatId) }];
}

/** Whoever blocks the bot wants nothing from it any more; whoever unblocks it takes that back. */
function readMember(update: Update, change: Fields): Read {
  const { notes, store, receivedAtMs } = update;
  const chat = readFields(change['chat'], 'my_chat_member.chat', notes);
  const chatId = chatOf(chat, readFields(change['from'], 'my_chat_member.from', notes));
  if (chatId === null) return namesNoChat(chat) ? [] : 'not_ours';
  const at = 'my_chat_member.date';
  const occurred = occurredAt(readInstant(change['date'], at, notes, store.timeZone), at, notes, receivedAtMs);
  const statusOf = (name: 'old_chat_member' | 'new_chat_member') =>
    cleanText(readFields(change[name], `my_chat_member.${name}`, notes)?.['status'], 40);
  const person = { email: null, phone: null, externalId: null, telegram: chatId };
  const said = { ...occurred, person, channel: 'telegram', source: 'telegram', basis: 'person', chat: { chatId, updateId: update.id } } as const;
  const now = statusOf('new_chat_member');
  if (now === null) note(notes, 'my_chat_member.new_chat_member.status', 'is missing');
  if (now === null) return [];
  if (now === 'kicked') return [{ type: 'contact.opted_out', ...said, final: false }];
  return now === 'member' && statusOf('old_chat_member') === 'kicked'
    ? [{ type: 'contact.opted_in', ...said, wording: null, confirmed: true }]
    : 'not_ours';
}

function turnOf({ id, notes, store }: Update, chatId: string, from: Fields | null, act: ChatAct, { occurredAtMs }: Occurred, at: string): ChatTurn {
  const { answersFromMs = 0, isBacklog = false } = store.chat ?? {};
  // Messages have the second in which they were written, buttons none: of these, what was fetched at the start lay there before.
  const isBefore = occurredAtMs < Math.floor(answersFromMs / 1_000) * 1_000;
  return {
    chatId,
    updateId: id,
    act,
    language: readLocale(from?.['language_code'], `${at}.language_code`, notes),
    firstName: readText(from?.['first_name'], `${at}.first_name`, notes, 100),
    lastName: readText(from?.['last_name'], `${at}.last_name`, notes, 100),
    late: isBefore || (act.kind === 'button' && isBacklog),
  };
}
