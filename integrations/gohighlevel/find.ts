import { z } from 'zod';
import { askJson, NoAnswerError } from '../http/ask.ts';
import type { EmailPayload } from '../port.ts';
import { readFields } from '../read/notes.ts';
import { type GoHighLevelConfig, headersOf, isId, urlOf } from './config.ts';

type Found = 'accepted' | 'not_accepted';

/** A text that is looked for in a conversation. */
interface Wanted {
  who: { phone: string };
  types: readonly string[];
  text: string;
  /** A link that only this message has, which identifies it; null: it has none. */
  link: string | null;
}

const message = z.looseObject({
  id: z.string(),
  messageType: z.string().nullish(),
  direction: z.string().nullish(),
  body: z.string().nullish(),
  dateAdded: z.string().nullish(),
});
type Message = z.output<typeof message>;

// As the published answer has it, and as the real one nests it (github.com/GoHighLevel/highlevel-api-docs/issues/54).
const page = z.object({ messages: z.array(message), nextPage: z.boolean().nullish(), lastMessageId: z.string().nullish() });
const nested = z.object({ messages: page });

const perPage = 100;
const mostPages = 5;
const mostEmails = 10;
const recentMs = 2 * 86_400_000;
/** HighLevel's clock may differ from ours. */
const marginMs = 3_600_000;

/** Questions to one location, all of which have to be answered within one time. */
class Questions {
  readonly #config: GoHighLevelConfig;
  readonly #token: string;
  readonly #endMs: number;

  constructor(config: GoHighLevelConfig, token: string, timeoutMs: number) {
    this.#config = config;
    this.#token = token;
    this.#endMs = performance.now() + timeoutMs;
  }

  /** @throws NoAnswerError */
  async ask(path: string, query: Record<string, string>): Promise<unknown> {
    const url = urlOf(this.#config, path);
    url.search = new URLSearchParams(query).toString();
    const leftMs = this.#endMs - performance.now();
    if (leftMs <= 0) throw new NoAnswerError('the questions took too long');
    return askJson(url, headersOf(this.#token), leftMs);
  }

  /**
   * The conversation with the holder of the address, the latest message first.
   * @throws NoAnswerError where the list does not settle it, and where the location has no such contact: one was there when the message was sent
   */
  async conversation(
    who: { phone: string } | { email: string },
    types: readonly string[],
    enough: (message: Message) => boolean,
  ): Promise<Message[]> {
    const { locationId } = this.#config;
    const asked = 'phone' in who ? { number: who.phone } : { email: who.email };
    const contact = readFields(readFields(await this.ask('/contacts/search/duplicate', { locationId, ...asked }), '', [])?.['contact'], '', []);
    const contactId = contact?.['id'];
    if (!isId(contactId)) throw new NoAnswerError('the location has no contact with that address any more');
    const list = readFields(await this.ask('/conversations/search', { locationId, contactId }), '', [])?.['conversations'];
    if (!Array.isArray(list)) throw new NoAnswerError('the answer is no list of conversations');
    const found: Message[] = [];
    for (const one of list) {
      const fields = readFields(one, '', []);
      // Of a location that gives more than was asked for, nothing of others counts.
      if (fields?.['contactId'] !== contactId) continue;
      if (!isId(fields['id'])) throw new NoAnswerError('a conversation has no id');
      found.push(...(await this.#messages(fields['id'], types, enough)));
    }
    return found;
  }

  async #messages(conversationId: string, types: readonly string[], enough: (message: Message) => boolean): Promise<Message[]> {
    const found: Message[] = [];
    let after: string | null = null;
    for (let pages = 0; pages < mostPages; pages++) {
      const answer = await this.ask(`/conversations/${conversationId}/messages`, {
        limit: String(perPage),
        type: types.join(','),
        ...(after === null ? {} : { lastMessageId: after }),
      });
      const read = nested.safeParse(answer).data?.messages ?? page.safeParse(answer).data;
      if (read === undefined) throw new NoAnswerError('the answer is no list of messages');
      found.push(...read.messages);
      if (read.nextPage !== true || read.messages.some(enough)) return found;
      after = read.lastMessageId ?? read.messages.at(-1)?.id ?? null;
      if (after === null) break;
    }
    throw new NoAnswerError('the conversation is too long to be read');
  }
}

/**
 * Whether HighLevel has a text. It is found by its short link, which is unique.
 * @throws NoAnswerError where the conversation does not settle it
 */
export async function findText(config: GoHighLevelConfig, token: string, wanted: Wanted, timeoutMs: number): Promise<Found> {
  const { who, types, text, link } = wanted;
  if (link === null) throw new NoAnswerError('the text carries no link of its own');
  const isIt = ({ body }: Message) => body != null && contains(body, link);
  const messages = await new Questions(config, token, timeoutMs).conversation(who, types, isIt);
  if (messages.some(isIt)) return 'accepted';
  // What was said days ago may well be the same words about another time.
  const sinceMs = Date.now() - recentMs;
  const outbound = messages.filter(({ direction, dateAdded }) => direction !== 'inbound' && !(Date.parse(dateAdded ?? '') < sinceMs));
  if (outbound.some(({ body }) => (body ?? '') === '')) throw new NoAnswerError('the conversation has messages without words');
  // Somebody on the way may have put a link of their own in the place of ours.
  if (outbound.some(({ body }) => withoutLinks(body ?? '') === withoutLinks(text)))
    throw new NoAnswerError('the conversation has the same words with another link');
  return 'not_accepted';
}

/**
 * Whether HighLevel has an email. It is found by its address for unsubscribing, which is unique; a conversation lists emails without their bodies, so each of
 * those that were sent since then is asked for.
 * @throws NoAnswerError where the conversation does not settle it
 */
export async function findEmail(config: GoHighLevelConfig, token: string, mail: EmailPayload, timeoutMs: number): Promise<Found> {
  const questions = new Questions(config, token, timeoutMs);
  const sinceMs = mail.dateMs - marginMs;
  const isOlder = ({ dateAdded }: Message) => Date.parse(dateAdded ?? '') < sinceMs;
  const all = await questions.conversation({ email: mail.to.address }, ['TYPE_EMAIL'], isOlder);
  const recent = all.filter((one) => one.direction !== 'inbound' && !isOlder(one));
  if (recent.length > mostEmails) throw new NoAnswerError('the contact got too many emails around that time');
  const names = (words: string) => mail.unsubscribeUrl !== null && words.includes(mail.unsubscribeUrl);
  let rewritten = false;
  for (const { id, body } of recent) {
    if (body != null && names(body)) return 'accepted';
    if (!isId(id)) throw new NoAnswerError('an email has no id');
    const answer = readFields(await questions.ask(`/conversations/messages/${id}`, {}), '', []);
    const words = (readFields(answer?.['message'], '', []) ?? answer)?.['body'];
    if (typeof words !== 'string' || words === '') throw new NoAnswerError('the words of an email are not given');
    if (names(words)) return 'accepted';
    // Links may be counted by HighLevel, and lead elsewhere then: what else the email says stays.
    rewritten ||= plainWords(words) === plainWords(mail.html);
  }
  if (rewritten) throw new NoAnswerError('the contact got the same email with other links');
  return 'not_accepted';
}

const withoutLinks = (text: string): string =>
  text
    .replace(/https?:\/\/\S+/g, '')
    .replace(/\s+/g, ' ')
    .trim();
const plainWords = (html: string): string => withoutLinks(html.replace(/<[^>]*>/g, ' '));

/** Whether the text contains the link, and not only a longer one that begins with it. */
function contains(body: string, link: string): boolean {
  for (let at = body.indexOf(link); at >= 0; at = body.indexOf(link, at + 1)) {
    if (!/[\w-]/.test(body.charAt(at + link.length))) return true;
  }
  return false;
}
