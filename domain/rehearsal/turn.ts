import { lastMomentOf } from '../gates/last-moment.ts';
import type { GateCheck, Verdict } from '../gates/verdict.ts';
import { type Rate, rateNotes, slotLifeMs, spacingMs, waitedForMs } from '../rate.ts';
import type { EpochMs, Plan, Progress, StepId } from '../sequence/plan.ts';

/** The rate of the campaign of a rehearsed lead, in real time. */
export interface CampaignPace {
  rate: Rate;
  /** How many messages to other leads have their moments before each message of this one. */
  ahead: number;
}

/** The moments that a rehearsed lead has under the rate. */
export interface Turns {
  /** The next free one, as far as the lead's own messages take them. */
  freeAtMs: EpochMs;
  reserved: Map<StepId, EpochMs>;
}

/**
 * Take the moment of a message that passed every gate, as `operations/dispatch/pace.ts` does under the rates of everybody.
 * @returns null: it goes out now; a moment that is waited for is not told apart from that
 * Source: docs/rules.md#rule-34
 */
export function takeTurn(
  turns: Turns,
  { rate, ahead }: CampaignPace,
  { plan, progress, stepId, checks, nowMs }: { plan: Plan; progress: Progress; stepId: StepId; checks: readonly GateCheck[]; nowMs: EpochMs },
): Extract<Verdict, { kind: 'defer' | 'skip' }> | null {
  const held = turns.reserved.get(stepId);
  const isHeld = held !== undefined && nowMs <= held + slotLifeMs;
  const apartMs = spacingMs(rate) / plan.timeScale;
  const slotMs = isHeld ? held : Math.ceil(Math.max(turns.freeAtMs, nowMs + ahead * apartMs));
  const input = { slotMs, rates: 'campaign' };
  if (!isHeld) {
    if (slotMs > lastMomentOf(checks, plan, progress, stepId))
      return { kind: 'skip', reason: 'rate', checks: [...checks, { gate: 'rate', result: 'skip', input, note: rateNotes.skip }] };
    turns.freeAtMs = slotMs + apartMs;
  }
  if (slotMs - nowMs <= waitedForMs) {
    // Another attempt, after a refusal, takes a moment of its own.
    turns.reserved.delete(stepId);
    return null;
  }
  turns.reserved.set(stepId, slotMs);
  return { kind: 'defer', untilMs: slotMs, reason: 'rate', checks: [...checks, { gate: 'rate', result: 'defer', input, note: rateNotes.defer }] };
}
