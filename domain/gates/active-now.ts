import { channels } from '../channels/index.ts';
import type { EpochMs } from '../sequence/plan.ts';
import { scaled } from '../sequence/time-scale.ts';
import { latestOf } from './latest.ts';
import type { Situation, TimeGate } from './gate.ts';
import { chosenChannel } from './gate.ts';

const lingersMs = 30 * 60_000;

/** Somebody who is active, such as a shopper who is back in the shop, is left in peace until half an hour after the last sign of life. Source: docs/rules.md#rule-4 */
export const activeNow: TimeGate = {
  name: 'active_now',
  opensAt(situation, fromMs) {
    const channel = chosenChannel(situation);
    const activeMs = lastActiveMs(situation);
    // The activity at the anchor is the one after which the person left.
    if (channel === null || !channels[channel].disturbs || activeMs <= situation.facts.progress.anchorMs) return fromMs;
    return Math.max(fromMs, activeMs + scaled(lingersMs, situation.facts.plan.timeScale));
  },
  input: (situation) => ({ lastActiveMs: lastActiveMs(situation), anchorMs: situation.facts.progress.anchorMs }),
  note: 'The person is active right now.',
};

function lastActiveMs({ facts: { subject, person }, nowMs }: Situation): EpochMs {
  // A provider's clock that runs ahead must not hold a step back for longer than the rule says.
  return Math.min(nowMs, Math.max(subject.lastActivityMs, latestOf(person.contacts, 'lastSeenMs') ?? subject.lastActivityMs));
}
