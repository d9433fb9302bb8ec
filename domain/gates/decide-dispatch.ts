import { dueAt, expiryAt, oldestAt } from '../sequence/due.ts';
import type { EpochMs } from '../sequence/plan.ts';
import { expiryWhenCapped } from './cap.ts';
import { chooseChannel } from './choose-channel.ts';
import type { Facts } from './facts.ts';
import { firstOpen } from './first-open.ts';
import type { Answer, Situation } from './gate.ts';
import { chosenChannel } from './gate.ts';
import { expiryOnAllClocks } from './quiet-hours.ts';
import { expiryInWindow } from './send-window.ts';
import { decisiveGates, finalGates, timeGates } from './index.ts';
import { expiryOfVariant } from './variant-time.ts';
import type { GateCheck, Verdict } from './verdict.ts';

/**
 * Decide one dispatch of one step. Pure: the same facts and clock give the same verdict. Steps that are settled are the
 * caller's to recognise; this decides those that are not.
 * @param nowMs - the caller's clock, epoch milliseconds, UTC, read after the person's lock was obtained
 * @returns one verdict with every gate that was asked
 * @throws RangeError when the plan has no such step
 * Source: docs/rules.md
 */
export function decideDispatch(facts: Facts, nowMs: EpochMs): Verdict {
  const situation = situationOf(facts, nowMs);
  const checks: GateCheck[] = [];

  for (const gate of decisiveGates) {
    const answer = gate.check(situation);
    checks.push(checkOf(gate.name, answer));
    if (answer.result !== 'pass') return verdictOf(answer, checks);
  }

  const opening = firstOpen(timeGates, situation);
  for (let index = 0; index < timeGates.length; index += 1) {
    const gate = timeGates[index];
    if (gate === undefined) continue;
    const opensMs = opening.movedTo[index] ?? null;
    const input = gate.input(situation);
    if (opensMs === null) checks.push({ gate: gate.name, result: 'pass', input });
    else {
      const note = typeof gate.note === 'string' ? gate.note : gate.note(situation);
      checks.push({ gate: gate.name, result: 'defer', input: { ...input, opensMs }, note });
    }
  }

  for (const gate of finalGates) {
    const answer = gate.check(situation, opening);
    checks.push(checkOf(gate.name, answer));
    if (answer.result !== 'pass') return verdictOf(answer, checks);
  }

  if (opening.binding !== null) return { kind: 'defer', untilMs: opening.atMs, reason: opening.binding, checks };
  const channel = chosenChannel(situation);
  // The channel gate has skipped a step without a channel.
  if (channel === null) throw new Error(`Step ${facts.step.id} passed every gate without a channel`);
  return { kind: 'send', channel, checks };
}

/** What the gates of a step are asked about. */
export function situationOf(facts: Facts, nowMs: EpochMs): Situation {
  const dueMs = dueAt(facts.plan, facts.progress, facts.step.id);
  const asked = { facts, nowMs, dueMs, choice: chooseChannel(facts, { facts, nowMs }) };
  const { plan, progress, step } = facts;
  const ownExpiryMs = expiryAt(plan, progress, step.id);
  const expiryMs = step.laterMs === undefined ? ownExpiryMs : expiryOfVariant(ownExpiryMs, step.laterMs, oldestAt(plan, progress));
  const plannedExpiryMs = expiryInWindow(asked, expiryOnAllClocks(asked, expiryMs));
  // Written out, not spread: this is the hot path of rehearsals.
  return { facts, nowMs, dueMs, choice: asked.choice, expiryMs: expiryWhenCapped(asked, plannedExpiryMs) };
}

function checkOf(gate: string, { result, input, note }: Answer): GateCheck {
  return note === undefined ? { gate, result, input } : { gate, result, input, note };
}

function verdictOf(answer: Exclude<Answer, { result: 'pass' }>, checks: GateCheck[]): Verdict {
  switch (answer.result) {
    case 'stop':
      return { kind: 'stop', reason: answer.reason, checks };
    case 'skip':
      return { kind: 'skip', reason: answer.reason, checks };
    case 'hold':
      return { kind: 'hold', reason: answer.reason, checks };
    case 'defer':
      return { kind: 'defer', untilMs: answer.untilMs, anchorMs: answer.anchorMs, reason: answer.reason, checks };
  }
}
