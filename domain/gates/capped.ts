import { cap, capWords } from './cap.ts';
import type { Answer, FinalGate } from './gate.ts';

/**
 * A step that a cap keeps from going out before it expires is skipped now, with what used the cap up: a cap of days outlasts an expiry of hours.
 * Source: docs/rules.md#rule-19
 */
export const capped: FinalGate = {
  name: 'capped',
  check(situation, { atMs, delayedBy }): Answer {
    const { expiryMs } = situation;
    const sendMs = Number.isFinite(atMs) ? atMs : null;
    if (atMs <= expiryMs || !delayedBy.includes(cap.name)) return { result: 'pass', input: { sendMs, expiryMs } };
    const input = cap.input(situation);
    return { result: 'skip', reason: 'capped', input: { ...input, sendMs, expiryMs }, note: `${capWords(input)}; until then it would be too old.` };
  },
};
