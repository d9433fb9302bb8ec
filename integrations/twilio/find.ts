import { z } from 'zod';
import { askJson, NoAnswerError } from '../http/ask.ts';
import type { SmsPayload } from '../port.ts';
import { authorization, messagesUrl, type TwilioConfig } from './config.ts';

const page = z.object({
  messages: z.array(z.object({ body: z.string().nullable(), direction: z.string().nullish() })),
  next_page_uri: z.string().nullish(),
});

/**
 * Whether Twilio has the text. It is found by its short link, which is unique.
 *
 * Asks for everything that was sent to the number. A filter by date would leave out texts that are still queued, because they have no date yet, and a
 * text that is not found is sent again.
 * @throws NoAnswerError where the list does not settle it
 */
export async function findText(config: TwilioConfig, { to, shortUrl }: SmsPayload, timeoutMs: number): Promise<'accepted' | 'not_accepted'> {
  if (shortUrl === null) throw new NoAnswerError('the text carries no link of its own');
  const url = messagesUrl(config);
  url.search = new URLSearchParams({ To: to, PageSize: '1000' }).toString();
  const read = page.safeParse(await askJson(url, { authorization: authorization(config) }, timeoutMs));
  if (!read.success) throw new NoAnswerError('the answer is no list of messages');
  const { messages, next_page_uri: next } = read.data;
  if (messages.some(({ body }) => body !== null && contains(body, shortUrl))) return 'accepted';
  if (next != null) throw new NoAnswerError('the number has more than 1,000 messages');
  // Accounts that redact messages keep their empty bodies.
  if (messages.some(({ body, direction }) => direction !== 'inbound' && (body ?? '') === ''))
    throw new NoAnswerError('the account redacts its messages');
  return 'not_accepted';
}

/** Whether the text contains the link, and not only a longer one that begins with it. */
function contains(body: string, link: string): boolean {
  for (let at = body.indexOf(link); at >= 0; at = body.indexOf(link, at + 1)) {
    if (!/[\w-]/.test(body.charAt(at + link.length))) return true;
  }
  return false;
}
