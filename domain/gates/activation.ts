import type { Answer, DecisiveGate, GateInput } from './gate.ts';
import { clockGraceMs } from './gate.ts';

/**
 * Until the first dispatch, activity moves the anchor: while the person is still active, nothing was abandoned. Its `pass` is what
 * activates the enrollment (`activates`). Source: docs/rules.md#rule-3
 */
export const activation: DecisiveGate = {
  name: 'activation',
  check({ facts: { progress, plan, subject }, nowMs, dueMs }): Answer {
    const { anchorMs, activatedAtMs } = progress;
    const signMs = plan.silence === true ? (subject.lastContactMs ?? subject.lastActivityMs) : subject.lastActivityMs;
    // A provider's clock that runs ahead must not put the anchor into the future.
    const activeMs = Math.min(signMs, nowMs);
    const input: GateInput =
      plan.silence === true ? { anchorMs, activatedAtMs, lastContactMs: signMs } : { anchorMs, activatedAtMs, lastActivityMs: signMs };
    if (activatedAtMs !== null) return { result: 'pass', input };
    const sinceMs = Math.max(activeMs, anchorMs);
    const untilMs = sinceMs + Math.max(dueMs - anchorMs, plan.quietForMs);
    if (activeMs > anchorMs) {
      const note =
        plan.silence === true
          ? 'They were in contact before it counted as silence: it counts from there.'
          : 'There was activity before the first step: it counts from there.';
      return { result: 'defer', untilMs: Math.max(untilMs, nowMs), anchorMs: sinceMs, reason: 'activity', input, note };
    }
    // Exactly 24 h are no silence yet, so that a silence has no grace.
    if (untilMs - nowMs <= (plan.silence === true ? 0 : clockGraceMs)) return { result: 'pass', input };
    return { result: 'defer', untilMs, anchorMs, reason: 'activity', input, note: 'It has not been quiet for long enough.' };
  },
};
