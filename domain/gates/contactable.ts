import type { Channel } from '../channels/index.ts';
import type { EpochMs } from '../sequence/plan.ts';
import { blackout } from './blackout.ts';
import { cap } from './cap.ts';
import { decideDispatch, situationOf } from './decide-dispatch.ts';
import type { Facts } from './facts.ts';
import { firstOpen } from './first-open.ts';
import { gap } from './gap.ts';
import { chosenChannel, type TimeGate } from './gate.ts';
import { legalHours } from './legal-hours.ts';
import { quietHours } from './quiet-hours.ts';
import { campaignSchedule, sendWindow } from './send-window.ts';
import type { GateCheck } from './verdict.ts';

/** Hours at which nobody is contacted, whoever they are. */
const hours: readonly TimeGate[] = [quietHours, legalHours, blackout, sendWindow, campaignSchedule];
/** How many messages a person gets, and how close together. */
const limits: readonly TimeGate[] = [gap, cap];

/** Whether somebody may be contacted at an instant, and when else. */
export interface Contactability {
  /** The first of the channels asked about that is possible; null: none is. */
  channel: Channel | null;
  canContactLead: boolean;
  /** What keeps them from being contacted, whatever the hour: a reason of a decision. null: nothing does. */
  reason: string | null;
  isWithinSchedule: boolean;
  /** null: waiting alone never makes it possible. */
  nextAvailableSlotMs: EpochMs | null;
  checks: readonly GateCheck[];
}

/** By the gates that decide a dispatch: what is answered here is what a step with these facts would meet. Source: docs/rules.md#rule-131 */
export function contactability(facts: Facts, atMs: EpochMs): Contactability {
  const verdict = decideDispatch(facts, atMs);
  const reason = verdict.kind === 'stop' || verdict.kind === 'hold' || verdict.kind === 'skip' ? verdict.reason : limitOf(facts, atMs);
  return {
    channel: chosenChannel(situationOf(facts, atMs)),
    canContactLead: reason === null,
    reason,
    isWithinSchedule: isWithinSchedule(facts, atMs),
    nextAvailableSlotMs: verdict.kind === 'send' ? atMs : verdict.kind === 'defer' ? verdict.untilMs : null,
    checks: verdict.checks,
  };
}

/** Where no channel is possible, the hours of the one that was asked about first count: some channels disturb nobody. */
function isWithinSchedule(facts: Facts, atMs: EpochMs): boolean {
  const situation = situationOf(facts, atMs);
  const [wanted] = facts.step.channels;
  const choice =
    situation.choice.kind === 'chosen' || wanted === undefined ? situation.choice : { kind: 'chosen' as const, channel: wanted, passedOver: [] };
  return firstOpen(hours, { ...situation, choice }).binding === null;
}

/** The limit that is used up. */
function limitOf(facts: Facts, atMs: EpochMs): string | null {
  return firstOpen(limits, situationOf(facts, atMs)).binding;
}
