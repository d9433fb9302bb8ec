import type { Answer, DecisiveGate } from './gate.ts';

/** An enrollment that outlived its sequence's maximum age ends. Source: requirement S1-4, `expired` */
export const maxAge: DecisiveGate = {
  name: 'max_age',
  check({ facts: { plan, progress }, nowMs }): Answer {
    const endsMs = progress.anchorMs + plan.maxAgeMs;
    const input = { endsMs };
    if (nowMs <= endsMs) return { result: 'pass', input };
    return { result: 'stop', reason: 'expired', input, note: "It is older than the sequence's maximum age." };
  },
};
