import { cap, capWords } from './cap.ts';
import type { Answer, FinalGate } from './gate.ts';
import { turn, turnWords } from './turn.ts';

const pass: Answer = { result: 'pass', input: {} };

/**
 * A step that a cap keeps from going out before it expires is skipped now, with what used the cap up: a cap of days outlasts an expiry of hours.
 * Source: docs/rules.md#rule-19
 */
export const capped: FinalGate = {
  name: 'capped',
  check(situation, { atMs, delayedBy }): Answer {
    const { expiryMs } = situation;
    const isFull = delayedBy.includes(cap.name);
    if (atMs <= expiryMs || !(isFull || delayedBy.includes(turn.name))) return pass;
    const input = { sendMs: Number.isFinite(atMs) ? atMs : null, expiryMs };
    const why = isFull ? cap.input(situation) : turn.input(situation);
    const words = isFull ? capWords(why) : turnWords(why);
    return { result: 'skip', reason: 'capped', input: { ...why, ...input }, note: `${words}. By the time it may be sent, the step is too old.` };
  },
};
