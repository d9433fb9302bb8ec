import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cases, describeCase, findFault } from '../fuzz/receivers/properties.ts';
import { integrations } from '../../integrations/index.ts';
import { castOf, fuzzed, topicsOf, validDelivery } from '../fuzz/receivers/valid-deliveries.ts';

// `npm run fuzz -- receivers` does the same without end.

test('a stop still stops and a cart is still a cart, whatever happens to a field that does not say whom or what', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(cases, (one) => {
      const fault = findFault(one);
      if (fault !== null) throw new Error(`${describeCase(one)}: ${fault}`);
    }),
    { numRuns: 2_500 },
  );
});

test.for(Object.values(integrations).flatMap(({ name, receiver }) => (receiver === undefined ? [] : [name])))(
  'the deliveries of %s are fuzzed',
  (name) => {
    expect(fuzzed, 'valid deliveries stand in tests/fuzz/receivers/valid-deliveries.ts').toContain(name);
  },
);

test.each(fuzzed.flatMap((integration) => topicsOf[integration].map((topic) => [integration, topic] as const)))(
  'a valid %s %s needs no damage to be understood',
  (integration, topic) => {
    const [delivery] = fc.sample(validDelivery(integration, topic, castOf(1), Date.UTC(2026, 10, 24)), 1);
    expect(delivery === undefined ? 'none' : findFault({ delivery, damages: [] })).toBeNull();
  },
);
