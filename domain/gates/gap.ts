import { channels, isChannel } from '../channels/index.ts';
import { scaled } from '../sequence/time-scale.ts';
import type { SendRecord } from './facts.ts';
import type { Situation, TimeGate } from './gate.ts';
import { chosenChannel } from './gate.ts';

export const apartMs = 3 * 3_600_000;

/** Two messages to one person keep three hours apart, unless they are of one enrollment and were due at the same time. Source: docs/rules.md#rule-5 */
export const gap: TimeGate = {
  name: 'gap',
  opensAt(situation, fromMs) {
    const { plan } = situation.facts;
    const lastSend = lastDisturbing(situation);
    const channel = chosenChannel(situation);
    if (lastSend === undefined || channel === null || !channels[channel].disturbs || lastSend.dueMs === situation.dueMs) return fromMs;
    return Math.max(fromMs, lastSend.atMs + scaled(apartMs, plan.timeScale));
  },
  input(situation) {
    const lastSend = lastDisturbing(situation);
    return { lastSendMs: lastSend?.atMs ?? null, lastSendDueMs: lastSend?.dueMs ?? null, dueMs: situation.dueMs };
  },
  note: 'The last message went out less than three hours before.',
};

/** A message whose channel is not known counts as one that disturbs. */
function lastDisturbing({ facts: { person } }: Situation): SendRecord | undefined {
  return person.sends.find(({ channel }) => !isChannel(channel) || channels[channel].disturbs);
}
