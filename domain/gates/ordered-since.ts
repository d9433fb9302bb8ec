import { stopReasonOfOrder } from '../sequence/ending.ts';
import { latestOf } from './latest.ts';
import type { Answer, DecisiveGate } from './gate.ts';

/**
 * The person bought something after the sequence's anchor. The order's own transaction has stopped the enrollment; this gate
 * finds the orders that a merge or an import brought along. Source: docs/rules.md#rule-11
 */
export const orderedSince: DecisiveGate = {
  name: 'ordered_since',
  check({ facts: { person, progress, subject } }): Answer {
    const lastOrderMs = latestOf(person.contacts, 'lastOrderMs');
    const input = { lastOrderMs, anchorMs: progress.anchorMs };
    if (lastOrderMs === null || lastOrderMs <= progress.anchorMs) return { result: 'pass', input };
    const reason = stopReasonOfOrder({ activated: progress.activatedAtMs !== null, matched: subject.boughtBy === 'person' });
    return { result: 'stop', reason, input, note: 'The person has ordered since.' };
  },
};
