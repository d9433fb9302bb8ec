import type { FieldNote } from '../../domain/field-note.ts';
import { claimedWords, unclaimedWords } from '../../domain/gates/claims.ts';
import { consentLawWords } from '../../domain/gates/consent-law.ts';
import { legalHoursWords } from '../../domain/gates/legal-hours.ts';
import { sendWindowWords } from '../../domain/gates/send-window.ts';
import type { GateCheck } from '../../domain/gates/verdict.ts';
import type { Words } from '../../domain/subjects/kind.ts';
import { capWords } from '../../domain/gates/cap.ts';
import { turnWords } from '../../domain/gates/turn.ts';
import { languageName } from '../../domain/languages.ts';
import { quietHoursWords } from '../../domain/people/zone-words.ts';
import type { Suspicion } from '../../domain/engagement/suspicion.ts';
import type { MessageRow } from '../dispatch/progress.ts';
import { orderSentence } from './order-sentences.ts';
import { amountOf, instantWords, wordsForDefer, wordsForHold, wordsForSkip, wordsForStop } from './words.ts';

type Data = Record<string, unknown>;
const textOf = (value: unknown) => (typeof value === 'string' ? value : '');
const plural = (n: unknown, one: string) => (typeof n === 'number' ? `${n} ${one}${n === 1 ? '' : 's'}` : null);
const inBrackets = (...parts: (string | null)[]) => {
  const known = parts.filter((part) => part !== null);
  return known.length === 0 ? '' : ` (${known.join(', ')})`;
};

/** Who did it by hand, where that is known: ` (api_key:…)`. */
const actorWords = (data: Data) => (textOf(data['actor']) === '' ? '' : ` (${textOf(data['actor'])})`);

const variantWords = (data: Data) => (textOf(data['variant']) === '' ? '' : `, as variant ${textOf(data['variant'])}`);

const languageWords = (data: Data) => (textOf(data['language']) === '' ? '' : `, in ${languageName(textOf(data['language']))}`);

/** One entry of an enrollment's story as a sentence. A type that is not known here is named as it is. */
export function eventSentence(about: Words, type: string, data: Data): string {
  const step = textOf(data['step']);
  const { noun, person, source, activity, item } = about;
  const known = inBrackets(amountOf(data), item === null ? null : plural(data['items'], item));
  const by = data['by'] === 'temporal' ? ' in Temporal' : '';
  const shownBy = data['shown_by'] === undefined ? null : signOf(about, data);
  const ofOrder = orderSentence(about, type, data);
  if (ofOrder !== null) return ofOrder;
  switch (type) {
    case 'enrolled':
      if (data['by'] === 'risk') return `The ${noun} came into the band “${String(data['band'])}” of risk: its sequence has begun.`;
      if (data['by'] === 'bulk')
        return `The ${noun}${known} was taken into the sequence by a bulk enrollment (${textOf(data['job'])}); version ${String(data['version'])}.`;
      return data['by'] === 'hand'
        ? `A person took the ${noun}${known} into the sequence by hand (${textOf(data['actor'])})${data['after'] === undefined ? '' : ', after an earlier run that had ended'}; version ${String(data['version'])}.`
        : `The ${noun}${known} was taken into the sequence, version ${String(data['version'])}.`;
    case 'cart.updated':
    case 'lead.created':
    case 'subject.reported':
      return `The ${source} reported ${activity}${known}.`;
    case 'abandoned':
      return `The ${noun}${known} ${about.begun}.`;
    case 'message.sent':
      return data['channel'] === 'onsite'
        ? `${step} waits for the ${person}’s next page view${variantWords(data)}${languageWords(data)}.`
        : `${step} went out${variantWords(data)}${languageWords(data)}.`;
    case 'popup.shown':
      return `${step} was shown on the page.`;
    case 'popup.closed':
      return `The ${person} closed ${step}.`;
    case 'message.failed':
      return `${step} was not accepted by the provider${afterAttempt(data)}.`;
    case 'message.unknown':
      return `Whether ${step} was accepted is not known${afterAttempt(data)}. It counts as sent and is never repeated blindly.`;
    case 'call.answered':
      return `${step} was answered${endedBy(data)}.`;
    case 'call.not_reached':
      return `${step} reached nobody${endedBy(data)}.`;
    case 'call.failed':
      return `${step} failed${endedBy(data)}.`;
    case 'message.delivered':
      return `${step} was delivered.`;
    case 'message.opened':
      return shownBy === null ? `The ${person} opened ${step}.` : `The ${person} opened ${step}, as ${shownBy} shows.`;
    case 'message.clicked':
      return shownBy === null
        ? `The ${person} followed the link in ${step}.`
        : `The ${person} followed the link in ${step}: it might have been a scanner, but ${shownBy} shows that it was a person.`;
    case 'message.click_withdrawn':
      return `The click in ${step} is not counted: another link of it was followed within seconds, as scanners do.`;
    case 'step.skipped':
      return `${step} was not sent: ${wordsForSkip(about, textOf(data['reason']))}${actorWords(data)}.`;
    case 'provider.unreachable':
      return `The provider could not be reached, so ${step} was put off.`;
    case 'stopped':
      return stopSentence(about, data, by);
    case 'completed':
      return `The sequence ran to its end${by}.`;
    case 'message.automatic':
      return `An automatic reply came in from the ${person}’s address: it changes nothing.`;
    case 'taken_over': {
      const until = typeof data['until_ms'] === 'number' ? `, at the latest until ${instantWords(data['until_ms'])}` : '';
      const who = data['actor'] === undefined ? `The ${person} wrote, and a person answers` : `A person has taken over (${textOf(data['actor'])})`;
      return `${who}: nothing is sent until it is released${until}.`;
    }
    case 'released':
      return `The conversation was released (${textOf(data['actor'])}): the sequence goes on.`;
    case 'send_now':
      return `A person asked for ${step} to go out at once${actorWords(data)}: it is due now, and passes every gate like any other.`;
    case 'snoozed':
      if (data['by'] === 'hand')
        return `A person put the sequence off${actorWords(data)}: what is left of it moves${typeof data['until_ms'] === 'number' ? `, and ${step} is due at ${instantWords(data['until_ms'])} at the earliest` : ''}.`;
      return `The ${person} asked to be contacted later: what is left of the sequence moves${typeof data['until_ms'] === 'number' ? ` to ${instantWords(data['until_ms'])}` : ''}.`;
    case 'version_changed':
      if (data['by'] === 'hand')
        return `A person moved it${actorWords(data)}: it goes on in version ${String(data['to'])}, where it had been in version ${String(data['from'])}.`;
      return `A new version was published: the sequence goes on in version ${String(data['to'])}, where it had been in version ${String(data['from'])}.`;
    case 'person.merged':
      return `It turned out that the ${person} is known by something else as well: what was two people is one from here on.`;
    case 'person.split':
      return `The ${person} was separated from somebody else by hand: they are two people again. Opt-outs, and what went out so far, count for both.`;
    case 'paused':
      return `The sequence was paused${by}${actorWords(data)}.`;
    case 'resumed':
      return `The sequence was resumed${by}${actorWords(data)}.`;
    default:
      return `${type}${step === '' ? '' : ` (${step})`}.`;
  }
}

/**
 * What showed that a person, and no program, opened or followed something. `cart` stands for activity on any subject
 * (db/functions/count_suspected_clicks.sql).
 */
function signOf({ activity }: Words, data: Data): string {
  switch (textOf(data['shown_by'])) {
    case 'cart':
      return `${activity} soon after`;
    case 'reply':
      return 'a reply soon after';
    case 'order':
      return 'an order soon after';
    default:
      return 'a later sign of life';
  }
}

/** What was left out of the delivery behind an event: " In its delivery, line_items.0.price is no amount: left out." */
export function notesSentence(notes: readonly FieldNote[]): string {
  if (notes.length === 0) return '';
  return ` In its delivery: ${notes.map(({ field, reason }) => `${field} ${reason}`).join('; ')}.`;
}

export interface DecisionFacts {
  stepId: string;
  verdict: 'send' | 'defer' | 'hold' | 'skip' | 'stop';
  reason: string;
  untilMs: number | null;
  checks: readonly GateCheck[];
}

/** A decision as a sentence; the gates themselves stand beside it. */
export function decisionSentence(about: Words, { stepId, verdict, reason, untilMs, checks }: DecisionFacts): string {
  switch (verdict) {
    case 'send':
      return `${stepId} may go out by ${reason}: all ${checks.length} gates are open.${claimed(checks)}`;
    case 'defer':
      return `${stepId} was put off until ${untilMs === null ? 'later' : instantWords(untilMs)}: ${deferral(about, reason, untilMs, checks)}${quietWindow(reason, checks)}${usedUp(reason, checks)}.`;
    case 'hold':
      return `${stepId} waits until the sequence is resumed: ${wordsForHold(reason)}.`;
    case 'skip':
      return `${stepId} is not sent: ${wordsForSkip(about, reason)}${usedUp(reason, checks)}.`;
    case 'stop':
      return `${stepId} is not sent and the sequence ends: ${wordsForStop(about, reason)}.`;
  }
}

/** What would be decided now about the step that comes next, and when it is asked. */
export function nextSentence(
  about: Words,
  { stepId, verdict, reason, untilMs, checks, askedAtMs, inFlight }: DecisionFacts & { askedAtMs: number | null; inFlight: boolean },
  nowMs: number,
): string {
  if (inFlight) return `${stepId} is being handed to the provider; what became of it is known in a moment.`;
  const decided = askedAtMs === null ? 'when the sequence is resumed' : askedAtMs > nowMs ? instantWords(askedAtMs) : 'now';
  const again = verdict === 'hold' ? '' : ` It is decided ${decided}.`;
  switch (verdict) {
    case 'send':
      return `As things stand, ${stepId} goes out by ${reason}: all ${checks.length} gates are open.${claimed(checks)}${again}`;
    case 'defer':
      return `As things stand, ${stepId} waits until ${untilMs === null ? 'later' : instantWords(untilMs)}: ${deferral(about, reason, untilMs, checks)}${quietWindow(reason, checks)}${usedUp(reason, checks)}.${again}`;
    case 'hold':
      return `${stepId} waits until the sequence is resumed: ${wordsForHold(reason)}.`;
    case 'skip':
      return `As things stand, ${stepId} would not be sent: ${wordsForSkip(about, reason)}${usedUp(reason, checks)}.${again}`;
    case 'stop':
      return `As things stand, ${stepId} would not be sent and the sequence would end: ${wordsForStop(about, reason)}.${again}`;
  }
}

/** Who or what stopped the sequence, as a sentence. */
function stopSentence(about: Words, data: Data, by: string): string {
  const reason = textOf(data['reason']);
  if (data['evidence'] === 'same_number_and_product')
    return 'The sequence was stopped: the same product was ordered under another address with the same telephone number.';
  if (reason === 'cancelled' || reason === 'terminated') return `The sequence was stopped: ${wordsForStop(about, reason)}.`;
  if (reason === 'manual') return `The sequence was stopped by hand${by}.`;
  return `The sequence was stopped${by}: ${wordsForStop(about, reason)}.`;
}

/** A step waits for its due time, or for the next attempt after one that failed. */
function deferral(about: Words, reason: string, untilMs: number | null, checks: readonly GateCheck[]): string {
  const { dueMs, failures } = (reason === 'due' ? checks.find((c) => c.gate === 'due')?.input : undefined) ?? {};
  if (typeof failures === 'number' && failures > 0) return wordsForDefer(about, 'send_failed');
  return typeof dueMs === 'number' && untilMs !== null && untilMs > dueMs ? 'it had been put off until then before' : wordsForDefer(about, reason);
}

/** The window and the zones that it was kept in: " from 21:00 to 08:00 in Japan (UTC+09:00)". */
function quietWindow(reason: string, checks: readonly GateCheck[]): string {
  const input = checks.find((c) => c.gate === reason)?.input;
  if (input === undefined) return '';
  if (reason === 'send_window' || reason === 'campaign_schedule') return `, ${sendWindowWords(input)}`;
  if (reason === 'legal_hours') return `: ${legalHoursWords(input)}`;
  return reason === 'quiet_hours' ? quietHoursWords(input) : '';
}

/** Which cap it was and what used it up, or whose message goes first: ": 3 messages are the most for one person in 24 hours (sent: …)". */
function usedUp(reason: string, checks: readonly GateCheck[]): string {
  if (reason === 'consent_required' || reason === 'consent_expired') {
    const asked = checks.find((c) => c.gate === 'channel')?.input;
    return asked?.['law'] === undefined ? '' : `: ${consentLawWords(asked)}`;
  }
  if (reason === 'suppressed') return suppressedBy(checks);
  if (reason === 'too_old') return tooLate(checks);
  if (reason === 'claim') return unclaimed(checks);
  const input = ['cap', 'capped', 'turn'].includes(reason) ? checks.find((c) => c.gate === reason)?.input : undefined;
  if (input === undefined) return '';
  return `: ${input['most'] === undefined ? turnWords(input) : capWords(input)}`;
}

/** Until when a step that came too late could be sent, and what it had to wait for: ": it could be sent until 2026-03-10 23:00:00 UTC at the latest. Quiet hours from …". */
function tooLate(checks: readonly GateCheck[]): string {
  const expiryMs = checks.find((c) => c.gate === 'too_old')?.input['expiryMs'];
  if (typeof expiryMs !== 'number') return '';
  const waits = checks.flatMap(({ result, note }) => (result === 'defer' && note !== undefined ? [note.replace(/\.$/, '')] : []));
  return `: ${[`it could be sent until ${instantWords(expiryMs)} at the latest`, ...waits].join('. ')}`;
}

/** What is claimed, and on what it rests: " It claims: few are left (3 left, says cart)." */
function claimed(checks: readonly GateCheck[]): string {
  const words = claimedWords(checks.find((c) => c.gate === 'claims')?.input ?? {});
  return words === '' ? '' : ` It claims: ${words}.`;
}

function unclaimed(checks: readonly GateCheck[]): string {
  const words = unclaimedWords(checks.find((c) => c.gate === 'claims')?.input ?? {});
  return words === null ? '' : `: ${words}`;
}

const suppressionWords: Readonly<Record<string, string>> = {
  opted_out: 'an opt-out',
  bounce: 'an address that does not exist',
  complaint: 'a complaint or a final opt-out',
  refused: 'the provider, which refused the address for good',
};

/** By what: ": by an opt-out". */
function suppressedBy(checks: readonly GateCheck[]): string {
  const kinds = textOf(checks.find((c) => c.gate === 'channel')?.input['suppressedBy']).split(' ');
  const known = kinds.flatMap((kind) => (Object.hasOwn(suppressionWords, kind) ? [suppressionWords[kind]] : []));
  return known.length === 0 ? '' : `, by ${known.join(' and ')}`;
}

/** A row of the send ledger as a sentence. */
export function messageSentence(about: Words, row: MessageRow): string {
  const step = row.stepId;
  const said = (who: string) => (row.response === null ? '' : ` ${who}: ${row.response}`);
  switch (row.state) {
    case 'sent':
      if (row.channel === 'onsite') return `${step} was put down for the next page view${row.openedAt === null ? '' : ', and shown'}.`;
      return `${step} was accepted.${said('The provider said')}`;
    case 'skipped':
      return `${step} was not sent: ${wordsForSkip(about, row.skipReason ?? 'stopped')}.`;
    case 'claimed':
      return `${step} is being handed to the provider.`;
    case 'unknown':
      return `The outcome of ${step} is not known; it counts as sent.${said('Last answer or error')}`;
    case 'failed':
      return `${step} was not accepted${row.failures > 1 ? `, ${row.failures} times so far` : ''}.${said('Last answer or error')}`;
  }
}

const happenings: Record<string, string> = { unsubscribe_opened: 'the unsubscribe page was opened', not_reached: 'reached nobody' };

const suspicions: Record<Suspicion, string> = {
  soon_after_send: 'so soon after it was sent that it may be a scanner',
  several_links: 'together with another link of it within seconds, as scanners do',
};

/** What a provider, or our own picture and links, reported about a message. */
export function providerEventSentence(about: Words, stepId: string, type: string, machine: boolean, data: Data = {}): string {
  const what = `${stepId}: ${happenings[type] ?? type}`;
  const suspected = textOf(data['suspected']);
  if (suspected !== '') {
    const why = Object.hasOwn(suspicions, suspected) ? suspicions[suspected as Suspicion] : `which may be a scanner (${suspected})`;
    return `${what}, ${why}; it counts only if the ${about.person} shows life afterwards.`;
  }
  return machine ? `${what} by a program, not by a person; no condition counts it.` : `${what}.`;
}

/** By which a call ended, as its provider names it; it goes when the person is erased. */
function endedBy(data: Record<string, unknown>): string {
  return typeof data['detail'] === 'string' ? ` (${data['detail']})` : '';
}

/** How long an attempt took and what came of it, in brackets: ` (after 0.4 s: 451 try again later)`. Earlier builds recorded neither. */
function afterAttempt({ ms, error }: Data): string {
  const details = [typeof ms === 'number' ? `after ${(ms / 1_000).toFixed(1)} s` : null, typeof error === 'string' && error !== '' ? error : null];
  const known = details.filter((detail) => detail !== null);
  return known.length === 0 ? '' : ` (${known.join(': ')})`;
}
