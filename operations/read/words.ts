import type { SkipReason, StopReason } from '../../domain/sequence/plan.ts';
import { majorUnits } from './major-units.ts';

/** Why a sequence ended, in a few words that complete "stopped: …". */
const stopWords: Record<StopReason, string> = {
  purchased: 'the cart was bought',
  purchased_elsewhere: 'the shopper bought something else',
  superseded: 'the shopper left a newer cart, and its sequence took over',
  not_abandoned: 'the cart was bought before it counted as abandoned',
  order_void: 'an order came that is no revenue: a test, or cancelled or declined at once',
  replied: 'the shopper replied',
  opted_out: 'the shopper opted out',
  expired: 'the cart can no longer be brought back',
  manual: 'by hand',
  cancelled: 'cancelled in Temporal',
  terminated: 'terminated in Temporal',
  erased: 'the shopper was erased',
  merged: 'it turned out to be the same cart as another',
  demo_restarted: 'the demo store began anew',
};

/** Why a step was left out, in a few words that complete "left out: …". */
const skipWords: Record<SkipReason, string> = {
  too_old: 'it would have come too late',
  condition: 'its condition does not hold',
  no_address: 'there is no address for its channel',
  no_consent: 'there is no consent for its channel',
  suppressed: 'marketing is blocked on its channel',
  not_connected: 'its channel is not connected',
  refused: 'the provider refused it for good',
  silent: 'it only marks the time',
  skipped_by_hand: 'by hand',
  stopped: 'the sequence was stopped',
};

/** What a step waits for, in a few words that complete "put off until …: …". */
const deferWords: Record<string, string> = {
  due: 'it was not due yet',
  activity: 'the shopper was still busy with the cart',
  active_now: 'the shopper was in the shop',
  quiet_hours: 'quiet hours',
  gap: 'two messages keep three hours apart',
  send_failed: 'sending had failed',
};

const look = (words: Readonly<Record<string, string>>, key: string) =>
  (Object.hasOwn(words, key) ? words[key] : undefined) ?? key.replaceAll('_', ' ');

export const wordsForStop = (reason: string) => look(stopWords, reason);
export const wordsForSkip = (reason: string) => look(skipWords, reason);
export const wordsForDefer = (reason: string) => look(deferWords, reason);

/** `EUR 129.90`, from what an event has noted; null where it noted no amount. */
export function amountOf(data: Record<string, unknown>): string | null {
  const { value_minor: minor, currency } = data;
  return typeof minor === 'number' && typeof currency === 'string' ? `${currency} ${majorUnits(minor, currency)}` : null;
}

/** `2026-11-22 08:00:00 UTC` */
export const instantWords = (atMs: number) => `${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
