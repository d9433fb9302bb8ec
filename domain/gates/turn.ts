import type { EpochMs } from '../sequence/plan.ts';
import { scaled } from '../sequence/time-scale.ts';
import { type Cap, firstFree, type Taken } from '../time/rolling-caps.ts';
import { capsOf, capsOn, counts, listOf, wordsOfList } from './cap.ts';
import type { UpcomingRecord } from './facts.ts';
import { apartMs } from './gap.ts';
import type { GateInput, Situation, TimeGate } from './gate.ts';
import { chosenChannel } from './gate.ts';

const hourMs = 3_600_000;
/** What a message takes at most to go out once it is ready, or to be left out. */
const turnMs = 60_000;
const shortestTurnMs = 1_000;
/** The last question before a step expires comes this much earlier, so that a punctual worker is still in time. */
const beforeExpiryMs = 5_000;

/**
 * The next steps of a person's sequences stand in line for the same caps and the same hours between two messages. At any moment, those that are ready
 * within the hour go by priority, then by their due times. So a step keeps its place, and the slot that it was put off to, before all that are due later.
 * Source: docs/rules.md#rule-19
 */
export const turn: TimeGate = {
  name: 'turn',
  opensAt(situation, fromMs) {
    if (situation.facts.person.upcoming.length === 0 || !counts({ channel: chosenChannel(situation) })) return fromMs;
    const freeMs = freeInLine(situation, fromMs);
    if (freeMs <= situation.expiryMs) return freeMs;
    // Those before it may yet be left out, so it is not given up before they had their turn.
    const lastMs = situation.expiryMs - beforeExpiryMs;
    if (situation.nowMs >= lastMs) return freeMs;
    const readyMs = aheadOf(situation, fromMs).reduce((latest, other) => Math.max(latest, other.readyMs), situation.nowMs);
    return Math.max(fromMs, Math.min(lastMs, readyMs + turnOf(situation)));
  },
  input: inputOf,
  note: (situation) => `${turnWords(inputOf(situation))}.`,
};

const turnOf = ({ facts: { plan } }: Situation) => Math.max(shortestTurnMs, scaled(turnMs, plan.timeScale));

/** The first instant that keeps all caps and gaps with everybody who comes before this step. */
function freeInLine(situation: Situation, fromMs: EpochMs): EpochMs {
  const sent = situation.facts.person.sends.filter(counts);
  const caps = capsOf(situation);
  let atMs = fromMs;
  for (;;) {
    const ahead = aheadOf(situation, atMs);
    if (ahead.length === 0) return atMs;
    const slots = slotsOf(situation, ahead, sent);
    const freeMs = Math.max(firstFree(caps, [...sent, ...slots], atMs), firstFree([gapOf(situation)], slots, atMs));
    if (freeMs <= atMs) return atMs;
    // Later, others may have become ready too.
    atMs = freeMs;
  }
}

function aheadOf({ facts: { person, plan, enrollment }, dueMs }: Situation, atMs: EpochMs): UpcomingRecord[] {
  const own = { priority: plan.priority, dueMs, enrollmentId: enrollment.id };
  const horizonMs = atMs + scaled(hourMs, plan.timeScale);
  return person.upcoming.filter((other) => other.readyMs <= horizonMs && counts(other) && inLine(other, own) < 0).sort(inLine);
}

type Place = Pick<UpcomingRecord, 'priority' | 'dueMs' | 'enrollmentId'>;
function inLine(a: Place, b: Place): number {
  return a.priority - b.priority || a.dueMs - b.dueMs || (a.enrollmentId < b.enrollmentId ? -1 : 1);
}

/** When those in line would go out, each at its first free instant. Who would be too old by then takes no slot. */
function slotsOf(situation: Situation, line: readonly UpcomingRecord[], sent: readonly Taken[]): Taken[] {
  const slots: Taken[] = [];
  for (const { channel, readyMs, expiryMs } of line) {
    const fromMs = Math.max(readyMs, situation.nowMs);
    const atMs = firstFree([...capsOn(situation, channel), gapOf(situation)], [...sent, ...slots], fromMs);
    // Counted from when it will have gone out, so that a slot behind it is free when its time comes.
    if (atMs <= expiryMs) slots.push({ channel, atMs: atMs + turnOf(situation) });
  }
  return slots;
}

/** Two messages keep three hours apart: one at most in three hours. */
const gapOf = ({ facts: { plan } }: Situation): Cap => ({ channel: null, most: 1, withinMs: scaled(apartMs, plan.timeScale) });

function inputOf(situation: Situation): GateInput {
  const { upcoming } = situation.facts.person;
  const input: GateInput = { upcoming: upcoming.length };
  if (upcoming.length === 0) return input;
  const ahead = aheadOf(situation, Math.max(situation.nowMs, situation.dueMs));
  return ahead.length === 0 ? input : { ...input, ahead: listOf(ahead.map(({ step, readyMs }) => ({ step, atMs: readyMs }))) };
}

/** Whose turn it is: `Other sequences’ messages to the person go first: cart/email_2h 2026-03-10 12:00 UTC`. */
export function turnWords({ ahead }: GateInput): string {
  const who = wordsOfList(ahead);
  return who === '' ? 'Messages of other sequences to the person go first' : `Messages of other sequences to the person go first: ${who}`;
}
