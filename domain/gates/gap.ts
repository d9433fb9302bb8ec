import { channels } from '../channels/index.ts';
import { scaled } from '../sequence/time-scale.ts';
import type { TimeGate } from './gate.ts';
import { chosenChannel } from './gate.ts';

const apartMs = 3 * 3_600_000;

/** Two messages to one person keep three hours apart, unless they are of one enrollment and were due at the same time. Source: docs/rules.md#rule-5 */
export const gap: TimeGate = {
  name: 'gap',
  opensAt(situation, fromMs) {
    const { lastSend, plan } = situation.facts;
    const channel = chosenChannel(situation);
    if (lastSend === null || channel === null || !channels[channel].disturbs || lastSend.dueMs === situation.dueMs) return fromMs;
    return Math.max(fromMs, lastSend.atMs + scaled(apartMs, plan.timeScale));
  },
  input: ({ facts: { lastSend }, dueMs }) => ({ lastSendMs: lastSend?.atMs ?? null, lastSendDueMs: lastSend?.dueMs ?? null, dueMs }),
  note: 'The last message went out less than three hours before.',
};
