import { oldestAt, plannedAt } from '../sequence/due.ts';
import type { Answer, DecisiveGate } from './gate.ts';

/**
 * Ends an enrollment whose next step is put off beyond the sequence's maximum age. A late machine ends nothing: a step that is too late because of it
 * is skipped by the gate `too_old`.
 * Source: docs/architecture.md, "Lateness"
 */
export const maxAge: DecisiveGate = {
  name: 'max_age',
  check({ facts: { plan, progress, step } }): Answer {
    const endsMs = oldestAt(plan, progress);
    const plannedMs = plannedAt(plan, progress, step.id);
    const input = { endsMs, plannedMs };
    if (plannedMs <= endsMs) return { result: 'pass', input };
    return { result: 'stop', reason: 'expired', input, note: "Its next step would be older than the sequence's maximum age." };
  },
};
