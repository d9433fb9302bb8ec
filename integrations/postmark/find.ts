import { z } from 'zod';
import { askJson, NoAnswerError } from '../http/ask.ts';
import { keyField, keyValue, type PostmarkConfig, urlOf } from './config.ts';

const page = z.object({
  TotalCount: z.int(),
  Messages: z.array(z.looseObject({ Metadata: z.record(z.string(), z.unknown()).nullish() })),
});

/**
 * Whether Postmark has the email. It is found by its metadata.
 * @throws NoAnswerError where the search does not settle it
 */
export async function findEmail(config: PostmarkConfig, sendKey: string, timeoutMs: number): Promise<'accepted' | 'not_accepted'> {
  const key = keyValue(sendKey);
  const url = urlOf(config, '/messages/outbound');
  url.search = new URLSearchParams({ count: '1', offset: '0', [`metadata_${keyField}`]: key }).toString();
  const read = page.safeParse(await askJson(url, { 'x-postmark-server-token': config.serverToken }, timeoutMs));
  if (!read.success) throw new NoAnswerError('the answer is no list of messages');
  const { TotalCount: count, Messages: messages } = read.data;
  if (count === 0 && messages.length === 0) return 'not_accepted';
  if (messages.some(({ Metadata: metadata }) => metadata?.[keyField] === key)) return 'accepted';
  throw new NoAnswerError('the search did not look at the metadata');
}
