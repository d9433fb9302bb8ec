import type { EpochMs } from '../sequence/plan.ts';
import type { TimeGate } from './gate.ts';

/**
 * A variant may go out later than the step is due, so that times are compared as texts are. What the step's expiry says counts from then.
 * Source: docs/rules.md#rule-35
 */
export const variantTime: TimeGate = {
  name: 'variant_time',
  opensAt: ({ facts: { step }, dueMs }, fromMs) => (step.laterMs === undefined ? fromMs : Math.max(fromMs, dueMs + step.laterMs)),
  input: ({ facts }) => (facts.step.laterMs === undefined ? {} : { laterMs: facts.step.laterMs }),
  note: 'The person’s variant of the step goes out later than the others.',
};

/** @param latestMs - until when anything may be sent about the subject */
export function expiryOfVariant(expiryMs: EpochMs, laterMs: number, latestMs: EpochMs): EpochMs {
  return laterMs === 0 ? expiryMs : Math.max(expiryMs, Math.min(expiryMs + laterMs, latestMs));
}
