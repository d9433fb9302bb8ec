import { expect, test } from 'vitest';
import { rehearse } from '../../../domain/rehearsal/rehearse.ts';
import { parseScenario } from '../../../domain/rehearsal/scenario.ts';
import { transcriptOf } from '../../../domain/rehearsal/transcript.ts';
import { parseSequence } from '../../../domain/sequence/parse-sequence.ts';

// What a rehearsal says about offers: by the very function that grants them. docs/rules.md#rule-47

const yaml = (skips = '') => `
sequence: discounts
name: Discounts
on: cart.abandoned
maxAge: 30d
steps:
  - { id: first, at: 2h, channel: email, content: cart/first, offer: true }
  - { id: plain, at: 24h, channel: email, content: cart/plain }
  - { id: last, at: 72h, channel: email, content: cart/last, offer: ${skips === '' ? 'true' : skips} }
`;

/** By step, what a rehearsal says about it. */
function said(scenario: string, skips = ''): Record<string, string | null> {
  const parsed = parseSequence(yaml(skips));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  const read = parseScenario(scenario, parsed.definition);
  if (!read.ok) throw new Error(JSON.stringify(read.errors));
  const { events } = transcriptOf(rehearse(parsed.definition, read.value.events, read.value.setting), read.value);
  const about = events.filter(({ kind, step }) => step !== null && (kind === 'sent' || kind === 'skipped'));
  return Object.fromEntries(about.map(({ kind, step, reason, note }) => [step, kind === 'sent' ? note : `${reason}: ${note}`]));
}

test('the first step that asks for one brings it, and the next says that the person has had one', () => {
  expect(said('offers: { percentOff: 10 }')).toEqual({
    first: 'An offer: 10%, until 2026-03-12 12:00 UTC.',
    plain: null,
    last: 'No offer: the person has had one in the time for which one is enough.',
  });
});

test('a step that wants an offer or nothing is left out', () => {
  expect(said('offers: { percentOff: 10 }', '{ without: skip }')['last']).toMatch(/^no_offer: No offer: the person has had one/);
});

test.each([
  ['{ percentOff: 10, minimumMinor: 20000 }', '', 'No offer: it is worth too little.'],
  ['{ percentOff: 10 }', 'cartsLeft: 3', 'No offer: the person has left too many carts lately to be paid for leaving one.'],
  ['{ percentOff: 10, onePerDays: 30 }', 'hadOffer: 20d', 'No offer: the person has had one in the time for which one is enough.'],
  ['{ percentOff: 10, onePerDays: 10 }', 'hadOffer: 20d', 'An offer: 10%, until 2026-03-12 12:00 UTC.'],
  ['{ percentOff: 10, budget: { most: 5, withinDays: 7 } }', 'offersGiven: 5', 'No offer: the budget is spent.'],
  [
    '{ percentOff: 10, budget: { most: 5, withinDays: 7 } }',
    '',
    'An offer: 10%, until 2026-03-12 12:00 UTC. Whether the budget is spent is not known here.',
  ],
  ['{ percentOff: 20, marginPercent: 40, leastMarginPercent: 30 }', 'regularValue: 150', 'No offer: too little would be earned.'],
])('terms %s, %s: %s', (offers, more, note) => {
  expect(said(`offers: ${offers}\n${more}`)['first']).toBe(note);
});

test('a refused attempt keeps its grant for the next, and without terms nothing is said', () => {
  const refused =
    'offers: { percentOff: 10 }\nevents:\n  - { at: 1h, event: provider, answers: refused }\n  - { at: 2h5s, event: provider, answers: accepted }';
  expect(said(refused.replace('2h5s', '121m'))['first']).toBe('An offer: 10%, until 2026-03-12 12:00 UTC.');
  expect(said('')).toEqual({ first: null, plain: null, last: null });
});

test('a shop that cannot be reached is waited for with growing pauses, and the step goes on without when it is too long', () => {
  const parsed = parseSequence(yaml());
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  const logOf = (events: string) => {
    const read = parseScenario(`quietHours: off\noffers: { percentOff: 10, source: shopify }\nevents:\n${events}`, parsed.definition);
    if (!read.ok) throw new Error(JSON.stringify(read.errors));
    const { log } = rehearse(parsed.definition, read.value.events, read.value.setting);
    return log.flatMap((entry) => {
      if (entry.kind === 'finished' || entry.step !== 'first') return [];
      const seconds = (entry.atMs - read.value.fromMs) / 1_000 - 7_200;
      const offer = entry.checks.findLast(({ gate }) => gate === 'offer')?.note ?? '';
      const what = entry.kind === 'deferred' ? `${entry.reason} until ${(entry.untilMs - entry.atMs) / 1_000} s later` : `${entry.kind}. ${offer}`;
      return [`${seconds} s: ${what}`];
    });
  };
  const away = '  - { at: 1h, event: shop, answers: outage }';
  const back = logOf(`${away}\n  - { at: 7225s, event: shop, answers: accepted }`);
  expect(back).toEqual([
    '0 s: offer_code until 10 s later',
    '10 s: offer_code until 20 s later',
    '30 s: sent. An offer: 10%, until 2026-03-12 12:00 UTC.',
  ]);
  const never = logOf(away);
  expect(never.slice(0, 3)).toEqual(['0 s: offer_code until 10 s later', '10 s: offer_code until 20 s later', '30 s: offer_code until 40 s later']);
  expect(never.at(-1)).toMatch(/^3\d\d\d s: sent\. No offer: its code was taken back, or could not be made\.$/);
  expect(logOf('  - { at: 1h, event: shop, answers: refused }')).toEqual(['0 s: sent. No offer: its code was taken back, or could not be made.']);
});
