import type { Words } from '../../domain/subjects/kind.ts';
import type { NoSequenceReason } from '../../domain/subjects/no-sequence.ts';
import type { DeferReason, HoldReason, SkipReason, StopReason } from '../../domain/sequence/plan.ts';
import { majorUnits } from './major-units.ts';

/** What general sentences need of a kind's words. */
type About = Pick<Words, 'noun' | 'person' | 'source' | 'stop' | 'defer'>;

/**
 * Why a sequence ended, in a few words that complete "stopped: …". Each must be true in every way that leads to its reason:
 * `tests/operations/reasons.test.ts` has the table. A kind of subject may have words of its own.
 */
const stopWords: Record<StopReason, (about: About) => string> = {
  purchased: ({ noun }) => `the ${noun} was bought`,
  // By address or number only. It may even be an order of this very subject: it does not say.
  purchased_elsewhere: ({ noun, person }) => `an order that does not name this ${noun} came in under the ${person}’s address or number`,
  superseded: ({ noun, person }) => `the sequence of a more recent ${noun} of the ${person} took over`,
  not_abandoned: ({ noun }) => `the ${noun} was bought before the sequence had begun`,
  order_void: () => 'an order came in that is no purchase: a test, or cancelled or declined at once',
  replied: ({ person }) => `a message came in from the ${person}’s address or number`,
  contacted: ({ person }) => `a colleague has spoken with the ${person}`,
  opted_out: ({ person }) => `marketing to the ${person} was closed by an opt-out or a complaint`,
  rejected: ({ noun }) => `the advertiser refused the ${noun}`,
  holdout: ({ person }) => `the ${person} is among those who get nothing, so that the effect can be measured`,
  undeliverable: () => 'a step that ends the sequence when it fails was refused by the provider',
  expired: ({ noun }) => `the ${noun} is older than the sequence allows, or its last step came too late to be sent`,
  filtered: ({ noun }) => `the sequence is for others than this ${noun}: what its \`only\` asks did not hold`,
  emptied: ({ noun }) => `the ${noun} was emptied`,
  cart_deleted: ({ noun, source }) => `the ${source} deleted the ${noun}`,
  manual: () => 'by hand',
  cancelled: () => 'its workflow was cancelled in Temporal',
  terminated: () => 'its workflow was terminated in Temporal',
  erased: ({ person }) => `the ${person}’s data was erased`,
  merged: ({ noun }) => `it turned out to be the same ${noun} as another, which has a sequence of its own`,
  demo_restarted: () => 'the demo store was started again',
  version_replaced: () => 'a new version of the sequence was published, and whoever published it chose to end those that were running',
  sequence_ended: () => 'the whole sequence was ended by hand',
  campaign_ended: () => 'its campaign has ended',
  recovered: ({ noun }) => `the ${noun} is not at risk any more`,
  band_raised: ({ noun }) => `the ${noun} came into a higher band of risk, whose sequence took over`,
};

/** Why a step was left out, in a few words that complete "left out: …". */
const skipWords: Record<SkipReason, (about: About) => string> = {
  too_old: () => 'it would have come too late',
  capped: ({ person }) => `other messages to the ${person} had used up what one person may get, and after the wait it would have come too late`,
  rate: () => 'so many were waiting for the same rate of sending that it would have come too late',
  condition: () => 'its condition did not hold, or could not be known',
  claim: () => 'what it was to say could not be claimed',
  no_address: () => 'there was no usable address for its channel',
  outside_window: () => 'WhatsApp takes free text within 24 hours of a message from the person only, and the step has no template',
  no_offer: ({ person }) => `it is not sent without an offer, and the ${person} got none`,
  no_consent: () => 'there was no consent for its channel',
  consent_required: ({ person }) => `the law where the ${person} is asks for consent, and none is known`,
  consent_expired: () => 'what the law had taken for consent, a purchase or a question, is too long ago',
  suppressed: ({ person }) => `messages to the ${person} were blocked on its channel`,
  not_connected: () => 'its channel was not connected',
  // Once for good, or once more often than the step allows.
  refused: () => 'the provider refused it',
  silent: () => 'it only marks the time',
  skipped_by_hand: () => 'by hand',
  passed: ({ person }) => `it lies before what the ${person} had been through when they were moved`,
  // Stopped, or run to its end.
  stopped: () => 'the sequence had ended',
};

/** What a step waits for, in a few words that complete "put off until …: …". */
const deferWords: Record<DeferReason, (about: About) => string> = {
  due: () => 'it was not due yet',
  activity: ({ noun }) => `the ${noun} had not been left alone for long enough`,
  active_now: ({ person }) => `the ${person} had been active just before`,
  quiet_hours: () => 'quiet hours',
  legal_hours: () => 'the hours that the law allows',
  blackout: () => 'the store sends nothing on that day',
  cap: ({ person }) => `the ${person} has got as many messages as one person may for now`,
  turn: ({ person }) => `another sequence’s message to the ${person} goes first`,
  rate: () => 'messages leave at a bounded rate',
  approval: () => 'a person has yet to approve the text that a model wrote',
  offer_code: () => 'the shop could not be reached to make the code of its offer',
  best_hour: ({ person }) => `the hour at which the ${person} reads emails`,
  variant_time: () => 'its variant goes out later than the others',
  send_window: () => 'outside the hours of the step',
  campaign_schedule: () => 'outside the hours of its campaign',
  gap: () => 'two messages keep three hours apart',
  send_failed: () => 'an attempt to send it had failed',
};

/** Why nothing is sent for the time being, in a few words that complete "waits until the sequence is resumed: …". */
const holdWords: Record<HoldReason, () => string> = {
  paused: () => 'it is paused',
  sequence_paused: () => 'the whole sequence is paused',
  campaign_paused: () => 'its campaign is paused',
  takeover: () => 'a person has taken over',
};

type General = Readonly<Record<string, (about: About) => string>>;

/** Why no sequence was begun, in a few words that complete "No sequence was begun about this cart: …". */
const noSequenceWords: Record<Exclude<NoSequenceReason, 'unfit'>, (about: About) => string> = {
  bought: () => 'it was bought',
  gone: ({ source }) => `the ${source} deleted it`,
  nothing_left: () => 'there was nothing left in it',
  do_not_contact: ({ person }) => `its ${person} is not to be contacted any more`,
  opted_out: ({ person }) => `marketing to its ${person} is closed`,
  ordered_since: ({ person }) => `its ${person} has ordered since`,
  no_sequence: ({ noun }) => `no active sequence is about a ${noun}`,
  campaigns_alone: ({ noun }) => `what is active about a ${noun} is begun by campaigns, and they take in nobody who was a ${noun} before`,
  contacted: () => 'somebody has spoken with them already',
  replied: ({ person }) => `its ${person} has replied since`,
  declined: ({ person }) => `its ${person} has said no to the last message`,
  took_part: ({ noun }) => `a ${noun} goes through the sequence once, and this one has`,
  cooldown: ({ person }) => `its ${person} has been through the sequence too recently`,
  took_over_too_often: ({ noun, person }) => `its ${person} keeps changing between several ${noun}s, and the sequence stays with one of them`,
  too_old: ({ noun }) => `the ${noun} was older than the sequence allows when it was reported`,
  unknown_person: ({ person }) => `no address or number of its ${person} is known`,
  no_address: ({ person }) => `no address of its ${person} is known that a sequence could write to`,
  newer_runs: ({ noun, person }) => `a sequence runs about a more recent ${noun} of its ${person}`,
  not_rolled_out: ({ person }) => `the ${person} is not among the share that gets interventions so far`,
};

const noWords: About = { noun: 'subject', person: 'person', source: 'source', stop: {}, defer: {} };

/** The kind's own words, else the general ones, else the reason as it is: one of a later version. */
function find(own: Readonly<Record<string, string | undefined>>, general: General, reason: string, about: About): string {
  const ownWords = Object.hasOwn(own, reason) ? own[reason] : undefined;
  const inGeneral = Object.hasOwn(general, reason) ? general[reason] : undefined;
  return ownWords ?? inGeneral?.(about) ?? reason.replaceAll('_', ' ');
}

export const wordsForStop = (about: About, reason: string) => find(about.stop, stopWords, reason, about);
/** @param detail - what the kind of subject says, of `unfit` */
export const wordsForNoSequence = (about: About, reason: string, detail: string | null) =>
  detail ?? find({ unfit: 'nothing in it is to be recovered' }, noSequenceWords, reason, about);
/** What follows "was stopped": " by hand", or ": the cart was bought". */
export const stoppedBecause = (about: About, reason: string) => (reason === 'manual' ? ' by hand' : `: ${wordsForStop(about, reason)}`);
export const wordsForSkip = (about: About, reason: string) => find({}, skipWords, reason, about);
export const wordsForHold = (reason: string) => find({}, holdWords, reason, noWords);
export const wordsForDefer = (about: About, reason: string) => find(about.defer, deferWords, reason, about);

/** `EUR 129.90`, from what an event has noted; null where it noted no amount. */
export function amountOf(data: Record<string, unknown>): string | null {
  const { value_minor: minor, currency } = data;
  return typeof minor === 'number' && typeof currency === 'string' ? `${currency} ${majorUnits(minor, currency)}` : null;
}

/** `2026-11-22 08:00:00 UTC` */
export const instantWords = (atMs: number) => `${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

export const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
