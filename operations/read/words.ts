import type { SkipReason, StopReason } from '../../domain/sequence/plan.ts';
import { majorUnits } from './major-units.ts';

/**
 * Why a sequence ended, in a few words that complete "stopped: …". Each must be true in every way that leads to its reason:
 * `tests/operations/reasons.test.ts` has the table.
 */
const stopWords: Record<StopReason, string> = {
  purchased: 'the cart was bought',
  // By address or number only. It may even be an order of this cart: it does not say.
  purchased_elsewhere: 'an order that does not name this cart came in under the shopper’s address or number',
  superseded: 'the sequence of a more recent cart of the shopper took over',
  not_abandoned: 'the cart was bought before it counted as abandoned',
  order_void: 'an order came in that is no purchase: a test, or cancelled or declined at once',
  replied: 'a message came in from the shopper’s address or number',
  contacted: 'a colleague has spoken with the shopper',
  opted_out: 'marketing to the shopper was closed by an opt-out or a complaint',
  expired: 'the cart was left longer ago than the sequence allows',
  emptied: 'the cart was emptied',
  cart_deleted: 'the shop deleted the cart',
  manual: 'by hand',
  cancelled: 'its workflow was cancelled in Temporal',
  terminated: 'its workflow was terminated in Temporal',
  erased: 'the shopper’s data was erased',
  merged: 'it turned out to be the same cart as another, which has a sequence of its own',
  demo_restarted: 'the demo store was started again',
};

/** Why a step was left out, in a few words that complete "left out: …". */
const skipWords: Record<SkipReason, string> = {
  too_old: 'it would have come too late',
  condition: 'its condition did not hold, or could not be known',
  no_address: 'there was no usable address for its channel',
  no_consent: 'there was no consent for its channel',
  suppressed: 'messages to the shopper were blocked on its channel',
  not_connected: 'its channel was not connected',
  // Once for good, or once more often than the step allows.
  refused: 'the provider refused it',
  silent: 'it only marks the time',
  skipped_by_hand: 'by hand',
  // Stopped, or run to its end.
  stopped: 'the sequence had ended',
};

/** What a step waits for, in a few words that complete "put off until …: …". */
const deferWords: Record<string, string> = {
  due: 'it was not due yet',
  // The shopper came back, or not enough time has passed since they left.
  activity: 'the cart had not been left alone for long enough',
  active_now: 'the shopper had been active in the shop just before',
  quiet_hours: 'quiet hours',
  gap: 'two messages keep three hours apart',
  send_failed: 'an attempt to send it had failed',
};

const find = (words: Readonly<Record<string, string>>, key: string) =>
  (Object.hasOwn(words, key) ? words[key] : undefined) ?? key.replaceAll('_', ' ');

export const wordsForStop = (reason: string) => find(stopWords, reason);
/** What follows "was stopped": " by hand", or ": the cart was bought". */
export const stoppedBecause = (reason: string) => (reason === 'manual' ? ` ${stopWords.manual}` : `: ${wordsForStop(reason)}`);
export const wordsForSkip = (reason: string) => find(skipWords, reason);
export const wordsForDefer = (reason: string) => find(deferWords, reason);

/** `EUR 129.90`, from what an event has noted; null where it noted no amount. */
export function amountOf(data: Record<string, unknown>): string | null {
  const { value_minor: minor, currency } = data;
  return typeof minor === 'number' && typeof currency === 'string' ? `${currency} ${majorUnits(minor, currency)}` : null;
}

/** `2026-11-22 08:00:00 UTC` */
export const instantWords = (atMs: number) => `${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
