import type { Answer, DecisiveGate } from './gate.ts';

/**
 * Who the person was when it was decided, and by which thresholds: conditions and texts go by it. It keeps nothing back; it is asked so that the decision
 * has it. Source: docs/rules.md#rule-40
 */
export const segment: DecisiveGate = {
  name: 'segment',
  check({ facts: { subject, attributes, settings } }): Answer {
    return {
      result: 'pass',
      input: {
        segment: subject.segment,
        modifiers: subject.modifiers.join(' '),
        orders: numberOrNull(attributes['contact.orders']),
        highValueMinor: settings.highValueMinor,
        lowStockAt: settings.lowStockAt,
      },
    };
  },
};

const numberOrNull = (value: unknown) => (typeof value === 'number' ? value : null);
