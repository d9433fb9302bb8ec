import { z } from 'zod';
import { askJson, NoAnswerError } from '../http/ask.ts';
import type { EmailPayload } from '../port.ts';
import { campaignOf, type InstantlyConfig, keyField, urlOf, variablesOf } from './config.ts';

const page = z.object({ items: z.array(z.looseObject({ id: z.string() })), next_starting_after: z.string().nullish() });

/**
 * Whether Instantly has the lead with this message's key in its campaign.
 * @throws NoAnswerError where the list does not settle it
 */
export async function findLead(
  config: InstantlyConfig,
  sendKey: string,
  { to }: EmailPayload,
  timeoutMs: number,
): Promise<'accepted' | 'not_accepted'> {
  const question = { campaign: campaignOf(config, sendKey), contacts: [to.address], limit: 10 };
  const read = page.safeParse(await askJson(urlOf(config, '/leads/list'), { authorization: `Bearer ${config.apiKey}` }, timeoutMs, question));
  if (!read.success) throw new NoAnswerError('the answer is no list of leads');
  const { items, next_starting_after: next } = read.data;
  if (items.some((lead) => variablesOf(lead)?.[keyField] === sendKey)) return 'accepted';
  // A page may be empty and still have one after it.
  if (next != null && next !== '') throw new NoAnswerError('the list has another page');
  if (items.some((lead) => variablesOf(lead) === null)) throw new NoAnswerError('a lead is listed without its variables');
  return 'not_accepted';
}
