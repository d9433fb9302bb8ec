import { z } from 'zod';
import { askJson, NoAnswerError } from '../http/ask.ts';
import type { EmailPayload } from '../port.ts';
import { authorization, keyField, type MailgunConfig, urlOf } from './config.ts';

const page = z.object({ items: z.array(z.looseObject({ 'user-variables': z.record(z.string(), z.unknown()).nullish() })) });
const most = 300;
/** Mailgun's clock may differ from ours. */
const marginMs = 3_600_000;

/**
 * Whether Mailgun has the email: an event of its recipient carries the message's key. The id that we chose is not asked for, because nobody says that
 * Mailgun always keeps it.
 * @throws NoAnswerError where the list does not settle it
 */
export async function findEmail(
  config: MailgunConfig,
  sendKey: string,
  { to, dateMs }: EmailPayload,
  timeoutMs: number,
): Promise<'accepted' | 'not_accepted'> {
  const url = urlOf(config, '/events');
  const begin = String(Math.floor((dateMs - marginMs) / 1_000));
  url.search = new URLSearchParams({ recipient: to.address, begin, ascending: 'yes', limit: String(most) }).toString();
  const read = page.safeParse(await askJson(url, { authorization: authorization(config) }, timeoutMs));
  if (!read.success) throw new NoAnswerError('the answer is no list of events');
  const { items } = read.data;
  if (items.some((item) => item['user-variables']?.[keyField] === sendKey)) return 'accepted';
  if (items.length >= most) throw new NoAnswerError(`the recipient has ${most} events and more`);
  return 'not_accepted';
}
