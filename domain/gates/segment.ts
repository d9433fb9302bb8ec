import type { Engagement } from '../people/purchases.ts';
import type { Answer, DecisiveGate, GateInput } from './gate.ts';

/**
 * Who the person was when it was decided, and by which thresholds: conditions and texts go by it. It keeps nothing back; it is asked so that the decision
 * has it. Source: docs/rules.md#rule-40
 */
export const segment: DecisiveGate = {
  name: 'segment',
  check({ facts: { subject, attributes, settings, customer } }): Answer {
    const input: GateInput = {
      segment: subject.segment,
      modifiers: subject.modifiers.join(' '),
      orders: numberOrNull(attributes['contact.orders']),
      highValueMinor: settings.highValueMinor,
      lowStockAt: settings.lowStockAt,
    };
    if (customer !== undefined) Object.assign(input, customer, { engagement: customer.engagement.map(inWords).join(', ') });
    return { result: 'pass', input };
  },
};

const inWords = ({ channel, sent, opened, clicked }: Engagement) => `${channel}: ${sent} sent, ${opened} opened, ${clicked} clicked`;

const numberOrNull = (value: unknown) => (typeof value === 'number' ? value : null);
