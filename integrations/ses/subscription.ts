import { outboundFetch } from '../http/outbound.ts';
import type { Lookup, Resolved } from '../port.ts';
import type { Fields } from '../read/notes.ts';
import { snsUrl } from './sns.ts';

export const subscriptionTopic = 'SubscriptionConfirmation';
const timeoutMs = 10_000;

/** SNS delivers nothing until the address that it names was asked once. @returns null where that is no address of SNS's, or for something else */
export function confirmationOf(envelope: Fields): Lookup | null {
  const url = confirmUrl(envelope['SubscribeURL']);
  return url === null ? null : { key: `confirm:${url.searchParams.get('Token') ?? ''}`, topic: subscriptionTopic, what: { url: url.href } };
}

function confirmUrl(value: unknown): URL | null {
  const url = snsUrl(value);
  if (url === null || url.href.length > 2_000 || url.searchParams.get('Action') !== 'ConfirmSubscription') return null;
  return url.searchParams.get('Token') === null ? null : url;
}

/** Confirm the subscription: to confirm it again changes nothing. @param get - how a checked address is fetched */
export async function confirmSubscription({ what }: Lookup, signal?: AbortSignal, get: typeof outboundFetch = outboundFetch): Promise<Resolved> {
  const url = confirmUrl(what['url']);
  if (url === null) return unreadable('the address to confirm at is none of SNS');
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    const response = await get(url, { redirect: 'error', signal: signal === undefined ? limit : AbortSignal.any([limit, signal]) });
    await response.arrayBuffer();
    if (response.status === 200) return { kind: 'ignored', topic: subscriptionTopic };
    if (response.status >= 500 || response.status === 429) return { kind: 'later', reason: `SNS answered HTTP ${response.status}` };
    return unreadable(`SNS answered HTTP ${response.status}: the confirmation is older than three days; ask for another one at SNS`);
  } catch {
    // The message of a failed fetch may hold the address, and with it the token.
    return { kind: 'later', reason: 'SNS cannot be reached' };
  }
}

const unreadable = (reason: string): Resolved => ({ kind: 'unreadable', topic: subscriptionTopic, reason, fields: [], mayBeStop: false });
