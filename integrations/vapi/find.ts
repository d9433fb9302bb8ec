import { z } from 'zod';
import { askJson, NoAnswerError } from '../http/ask.ts';
import type { CallPayload } from '../port.ts';
import { callName, callsUrl, keyField, metadataOf, type VapiConfig } from './config.ts';

const list = z.array(z.looseObject({ id: z.string(), name: z.string().nullish() }));
const most = 1_000;
/** VAPI's clock may differ from ours, and a call may be listed a little later than it was taken. */
const marginMs = 3_600_000;

/**
 * Whether VAPI has the call. It is found by its name, or by the metadata that it carries.
 * @throws NoAnswerError where the list does not settle it
 */
export async function findCall(
  config: VapiConfig,
  sendKey: string,
  { dateMs }: CallPayload,
  timeoutMs: number,
): Promise<'accepted' | 'not_accepted'> {
  const url = callsUrl(config);
  url.search = new URLSearchParams({
    limit: String(most),
    createdAtGe: new Date(dateMs - marginMs).toISOString(),
    createdAtLe: new Date(dateMs + marginMs).toISOString(),
  }).toString();
  const read = list.safeParse(await askJson(url, { authorization: `Bearer ${config.apiKey}` }, timeoutMs));
  if (!read.success) throw new NoAnswerError('the answer is no list of calls');
  const name = callName(sendKey);
  if (read.data.some((call) => call.name === name || metadataOf(call)[keyField] === sendKey)) return 'accepted';
  if (read.data.length >= most) throw new NoAnswerError(`the account made ${most} calls and more around that time`);
  return 'not_accepted';
}
