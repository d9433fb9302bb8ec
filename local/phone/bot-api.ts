import type { FastifyInstance } from 'fastify';

// A stand-in for Telegram on one machine: the part of the Bot API that the product uses, and the people who chat with its bots. It answers as
// core.telegram.org/bots/api describes, and keeps everything in memory.

/** Somebody who chats, as Telegram knows them. */
export interface ChatUser {
  id: number;
  first_name: string;
  last_name?: string;
  language_code?: string;
}

/** What was said in a chat, in either direction. */
export interface Said {
  messageId: number;
  by: 'person' | 'bot';
  text: string;
  buttons: { text: string; callback_data?: string; url?: string }[][];
  /** The bot asks for the person's own number. */
  asksContact: boolean;
  atMs: number;
}

interface Chat {
  user: ChatUser;
  said: Said[];
  isBlocked: boolean;
}

interface Webhook {
  url: string;
  secret: string | null;
}

interface BotOfToken {
  chats: Map<number, Chat>;
  /** Not confirmed yet, the oldest first. */
  updates: ({ update_id: number } & Record<string, unknown>)[];
  nextUpdate: number;
  webhook: Webhook | null;
  /** Ends a `getUpdates` that waits. */
  wake: ((reason: 'update' | 'conflict') => void) | null;
  isDelivering: boolean;
  /** When it sent messages lately. */
  sentAt: number[];
}

/** A call of the Bot API. `token`: of the bot that was meant. */
export interface BotCall {
  token: string;
  method: string;
  body: Record<string, unknown>;
  atMs: number;
  /** Of the answer, as HTTP has it; null: there is none yet. */
  status: number | null;
}

interface Answer {
  status: number;
  body: Record<string, unknown>;
}

const ok = (result: unknown): Answer => ({ status: 200, body: { ok: true, result } });
const refused = (error_code: number, description: string, parameters?: object): Answer => ({
  status: error_code,
  body: { ok: false, error_code, description, ...(parameters === undefined ? {} : { parameters }) },
});

/** Source: core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this */
const mostPerSecond = 30;
const mostUpdates = 10_000;
const mostSaid = 500;
const mostCalls = 10_000;
const retryEveryMs = 500;

export class BotApi {
  readonly calls: BotCall[] = [];
  /** What a call is answered instead; null: as Telegram would. `hang`: never. */
  intercept: (call: BotCall) => Answer | 'hang' | null = () => null;
  /** Refuse more than 30 messages within a second, as Telegram may. */
  isStrict = false;
  /** Tokens that were revoked. */
  readonly revoked = new Set<string>();
  readonly #bots = new Map<string, BotOfToken>();
  readonly #listeners = new Set<() => void>();
  readonly #ended = new AbortController();
  readonly #firstUpdate: number;

  /** @param firstUpdate - the id of each bot's first update. Telegram's ids never come again, so one that outlives its process begins with the time. */
  constructor(firstUpdate = 700_000_001) {
    this.#firstUpdate = firstUpdate;
  }

  bot(token: string): BotOfToken {
    const known = this.#bots.get(token);
    if (known !== undefined) return known;
    const made: BotOfToken = {
      chats: new Map(),
      updates: [],
      nextUpdate: this.#firstUpdate,
      webhook: null,
      wake: null,
      isDelivering: false,
      sentAt: [],
    };
    this.#bots.set(token, made);
    return made;
  }

  tokens(): string[] {
    return [...this.#bots.keys()];
  }

  /** @returns how to stop watching */
  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  end(): void {
    this.#ended.abort();
    for (const bot of this.#bots.values()) bot.wake?.('update');
  }

  // What people do

  /** @param atMs - when they wrote it; default now */
  says(token: string, user: ChatUser, text: string, atMs = Date.now()): void {
    const { messageId } = this.#noteSaid(token, user, text, atMs);
    const entities = /^\/\w+/.exec(text);
    const commands = entities === null ? {} : { entities: [{ offset: 0, length: entities[0].length, type: 'bot_command' }] };
    this.#update(token, { message: { ...messageOf(user, messageId, atMs), text, ...commands } });
  }

  edits(token: string, user: ChatUser, messageId: number, text: string, atMs = Date.now()): void {
    this.#update(token, { edited_message: { ...messageOf(user, messageId, atMs), edit_date: Math.floor(atMs / 1_000), text } });
  }

  presses(token: string, user: ChatUser, value: string): void {
    const chat = this.#chat(token, user);
    const message = chat.said.findLast(({ by }) => by === 'bot');
    const lies = {
      message_id: message?.messageId ?? 1,
      chat: chatOf(user),
      date: Math.floor((message?.atMs ?? Date.now()) / 1_000),
      text: message?.text ?? '',
    };
    this.#update(token, { callback_query: { id: `${user.id}${Date.now()}`, from: fromOf(user), message: lies, chat_instance: '1', data: value } });
  }

  /** @param userId - whose number it is; default their own */
  shares(token: string, user: ChatUser, phone: string, userId = user.id): void {
    const { messageId, atMs } = this.#noteSaid(token, user, phone, Date.now());
    const contact = { phone_number: phone.replace(/^\+/, ''), first_name: user.first_name, user_id: userId };
    this.#update(token, { message: { ...messageOf(user, messageId, atMs), contact } });
  }

  blocks(token: string, user: ChatUser, isBlocked = true): void {
    const chat = this.#chat(token, user);
    chat.isBlocked = isBlocked;
    const member = (status: string) => ({
      user: { id: botIdOf(token), is_bot: true, first_name: 'bot' },
      status,
      ...(status === 'kicked' ? { until_date: 0 } : {}),
    });
    const [before, after] = isBlocked ? ['member', 'kicked'] : ['kicked', 'member'];
    this.#update(token, {
      my_chat_member: {
        chat: chatOf(user),
        from: fromOf(user),
        date: Math.floor(Date.now() / 1_000),
        old_chat_member: member(before ?? ''),
        new_chat_member: member(after ?? ''),
      },
    });
  }

  // What the bot's program asks

  async call(token: string, method: string, body: Record<string, unknown>): Promise<Answer | 'hang'> {
    const call: BotCall = { token, method, body, atMs: Date.now(), status: null };
    this.calls.push(call);
    if (this.calls.length > mostCalls) this.calls.shift();
    const answer = await this.#answer(call);
    call.status = answer === 'hang' ? null : answer.status;
    return answer;
  }

  async #answer(call: BotCall): Promise<Answer | 'hang'> {
    const { token, method, body } = call;
    if (!/^\d{5,20}:[\w-]{20,100}$/.test(token)) return refused(404, 'Not Found');
    if (this.revoked.has(token)) return refused(401, 'Unauthorized');
    const instead = this.intercept(call);
    if (instead !== null) return instead;
    const bot = this.bot(token);
    switch (method.toLowerCase()) {
      case 'getme':
        return ok({ id: botIdOf(token), is_bot: true, first_name: 'Rekindle', username: `rekindle_${botIdOf(token)}_bot` });
      case 'setwebhook':
        return this.#setWebhook(token, body);
      case 'deletewebhook':
        bot.webhook = null;
        return ok(true);
      case 'getwebhookinfo':
        return ok({ url: bot.webhook?.url ?? '', has_custom_certificate: false, pending_update_count: bot.updates.length });
      case 'getupdates':
        return this.#getUpdates(bot, body);
      case 'sendmessage':
        return this.#sendMessage(token, bot, body);
      case 'answercallbackquery':
        return typeof body['callback_query_id'] === 'string'
          ? ok(true)
          : refused(400, 'Bad Request: query is too old and response timeout expired or query ID is invalid');
      default:
        return refused(404, 'Not Found');
    }
  }

  #setWebhook(token: string, { url, secret_token: secret, drop_pending_updates: drop }: Record<string, unknown>): Answer {
    if (typeof url !== 'string' || !URL.canParse(url)) return refused(400, 'Bad Request: bad webhook: invalid URL');
    if (secret !== undefined && !(typeof secret === 'string' && /^[\w-]{1,256}$/.test(secret)))
      return refused(400, 'Bad Request: secret token contains unallowed characters');
    const bot = this.bot(token);
    bot.webhook = { url, secret: secret ?? null };
    if (drop === true) bot.updates = [];
    bot.wake?.('conflict');
    void this.#deliver(token);
    return ok(true);
  }

  async #getUpdates(bot: BotOfToken, { offset, limit = 100, timeout = 0 }: Record<string, unknown>): Promise<Answer> {
    if (bot.webhook !== null)
      return refused(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first");
    // The newer request ends the older one.
    bot.wake?.('conflict');
    if (typeof offset === 'number') bot.updates = bot.updates.filter(({ update_id }) => update_id >= offset);
    if (bot.updates.length === 0 && typeof timeout === 'number' && timeout > 0) {
      const reason = await new Promise<'update' | 'conflict' | 'time'>((resolve) => {
        const timer = setTimeout(() => resolve('time'), timeout * 1_000);
        bot.wake = (why) => {
          clearTimeout(timer);
          bot.wake = null;
          resolve(why);
        };
      });
      if (reason === 'time') bot.wake = null;
      if (reason === 'conflict')
        return refused(409, 'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running');
    }
    return ok(bot.updates.slice(0, typeof limit === 'number' ? limit : 100));
  }

  #sendMessage(token: string, bot: BotOfToken, body: Record<string, unknown>): Answer {
    const { chat_id: chatId, text, reply_markup: markup } = body;
    const chat = bot.chats.get(Number(chatId));
    if (typeof text !== 'string' || text === '') return refused(400, 'Bad Request: message text is empty');
    if (text.length > 4_096) return refused(400, 'Bad Request: message is too long');
    if (chat === undefined) return refused(400, 'Bad Request: chat not found');
    if (chat.isBlocked) return refused(403, 'Forbidden: bot was blocked by the user');
    const keyboard = keyboardOf(markup);
    if (keyboard.buttons.flat().some(({ callback_data: data }) => data !== undefined && Buffer.byteLength(data) > 64))
      return refused(400, 'Bad Request: BUTTON_DATA_INVALID');
    const nowMs = Date.now();
    bot.sentAt = bot.sentAt.filter((atMs) => atMs > nowMs - 1_000);
    if (this.isStrict && bot.sentAt.length >= mostPerSecond) return refused(429, 'Too Many Requests: retry after 1', { retry_after: 1 });
    bot.sentAt.push(nowMs);
    const messageId = (chat.said.at(-1)?.messageId ?? 0) + 1;
    this.#keep(chat, { messageId, by: 'bot', text, buttons: keyboard.buttons, asksContact: keyboard.asksContact, atMs: nowMs });
    const from = { id: botIdOf(token), is_bot: true, first_name: 'Rekindle' };
    return ok({ message_id: messageId, from, chat: chatOf(chat.user), date: Math.floor(nowMs / 1_000), text });
  }

  #chat(token: string, user: ChatUser): Chat {
    const { chats } = this.bot(token);
    const known = chats.get(user.id);
    if (known !== undefined) return known;
    const made: Chat = { user, said: [], isBlocked: false };
    chats.set(user.id, made);
    return made;
  }

  #noteSaid(token: string, user: ChatUser, text: string, atMs: number): Said {
    const chat = this.#chat(token, user);
    const messageId = (chat.said.at(-1)?.messageId ?? 0) + 1;
    const said: Said = { messageId, by: 'person', text, buttons: [], asksContact: false, atMs };
    this.#keep(chat, said);
    return said;
  }

  #keep(chat: Chat, said: Said): void {
    chat.said.push(said);
    if (chat.said.length > mostSaid) chat.said.shift();
    for (const listener of this.#listeners) listener();
  }

  #update(token: string, content: Record<string, unknown>): void {
    const bot = this.bot(token);
    bot.updates.push({ update_id: bot.nextUpdate++, ...content });
    if (bot.updates.length > mostUpdates) bot.updates.shift();
    bot.wake?.('update');
    void this.#deliver(token);
  }

  /** One after the other; one that is not taken is delivered again, and those after it wait. */
  async #deliver(token: string): Promise<void> {
    const bot = this.bot(token);
    if (bot.isDelivering) return;
    bot.isDelivering = true;
    while (bot.webhook !== null && bot.updates.length > 0 && !this.#ended.signal.aborted) {
      const [update] = bot.updates;
      const { url, secret } = bot.webhook;
      const headers = { 'content-type': 'application/json', ...(secret === null ? {} : { 'x-telegram-bot-api-secret-token': secret }) };
      const taken = await fetch(url, { method: 'POST', headers, body: JSON.stringify(update), signal: AbortSignal.timeout(10_000) })
        .then(async (response) => {
          await response.arrayBuffer();
          return response.ok;
        })
        .catch(() => false);
      if (taken) bot.updates = bot.updates.filter(({ update_id }) => update_id !== update?.update_id);
      else await new Promise((done) => setTimeout(done, retryEveryMs));
    }
    bot.isDelivering = false;
  }
}

/** The routes of the Bot API. */
export function botApiRoutes(app: FastifyInstance, api: BotApi): void {
  app.post<{ Params: { token: string; method: string }; Body: Record<string, unknown> | null }>('/bot:token/:method', async (request, reply) => {
    const { token, method } = request.params;
    const answer = await api.call(token, method, request.body ?? {});
    if (answer === 'hang') return reply.hijack();
    return reply.code(answer.status).send(answer.body);
  });
}

const botIdOf = (token: string): number => Number(token.split(':', 1)[0]);
const fromOf = (user: ChatUser) => ({ ...user, is_bot: false });
const chatOf = ({ id, first_name }: ChatUser) => ({ id, first_name, type: 'private' });
const messageOf = (user: ChatUser, messageId: number, atMs: number) => ({
  message_id: messageId,
  from: fromOf(user),
  chat: chatOf(user),
  date: Math.floor(atMs / 1_000),
});

function keyboardOf(markup: unknown): Pick<Said, 'buttons' | 'asksContact'> {
  const fields = typeof markup === 'object' && markup !== null ? (markup as { inline_keyboard?: Said['buttons']; keyboard?: object[][] }) : {};
  const asksContact = (fields.keyboard ?? []).flat().some((button) => 'request_contact' in button);
  return { buttons: fields.inline_keyboard ?? [], asksContact };
}
