import { type HttpAnswer, judgeStatus } from '../http/judge.ts';
import type { SendOutcome } from '../port.ts';

type Refused = Extract<SendOutcome, { kind: 'refused' }>;

/** Nothing was sent, and it says nothing about this message. */
export const outage = (response: string): Refused => ({ kind: 'refused', severity: 'soft', outage: true, response });

// The token and its scopes.
const aboutTheAccount = new Set([401, 403]);

/**
 * What HighLevel's refusal means. Its answers have no codes, so their sentences are read; the sentence itself is not kept, because it may name the person.
 * @returns null where the status is no refusal: nobody knows what became of the request
 */
export function judgeRefusal(
  { status, headers }: Pick<HttpAnswer, 'status' | 'headers'>,
  answer: Readonly<Record<string, unknown>>,
  doing = '',
): Refused | null {
  const outcome = judgeStatus(status, `${doing}HTTP ${status}`);
  if (outcome.kind !== 'refused') return null;
  // HighLevel's own limit, and not that of somebody on the way, comes with how much of it is left.
  if (aboutTheAccount.has(status)) return { ...outcome, outage: true, loginRefused: true };
  if (status === 429 && headers['x-ratelimit-remaining'] !== undefined) return { ...outcome, outage: true };
  const said = [answer['message']]
    .flat()
    .filter((one) => typeof one === 'string')
    .join(' ');
  // The contact has closed the channel in the CRM.
  if (/\b(?:dnd|do not disturb|unsubscribed|opted[ -]out)\b/i.test(said))
    return { ...outcome, severity: 'hard', response: `${doing}HTTP ${status}, do not disturb` };
  if (/\b(?:phone|number|email)\b/i.test(said) && /\b(?:in|not a? ?)valid\b/i.test(said))
    return { ...outcome, severity: 'hard', response: `${doing}HTTP ${status}, the address is not valid` };
  return outcome;
}
