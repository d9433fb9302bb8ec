import { expect, test } from 'vitest';
import { parseScenario } from '../../../domain/rehearsal/scenario.ts';
import { rehearse } from '../../../domain/rehearsal/rehearse.ts';
import { parseSequence } from '../../../domain/sequence/parse-sequence.ts';

// How long a step waits for a person's approval of a model's text: by the very gate of the dispatch. docs/rules.md#rule-42

const sequence = (more = '') => `sequence: cart
name: Cart
on: cart.abandoned
reentry: once-per-subject
steps:
  - { id: nudge, at: 2h, channel: email, content: { model: cart/nudge, fallback: cart/nudge }${more} }
  - { id: last, at: 24h, channel: email, content: cart/last }
`;

/** What happens to the steps, with times since 10:00 of the day on which the cart was left. */
function rehearsed(scenario: string, more = ''): string[] {
  const parsed = parseSequence(sequence(more));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  const read = parseScenario(scenario, parsed.definition);
  if (!read.ok) throw new Error(JSON.stringify(read.errors));
  const { events, setting, fromMs } = read.value;
  const at = (ms: number) => `${(ms - fromMs) / 3_600_000}h`;
  return rehearse(parsed.definition, events, setting).log.flatMap((entry) => {
    if (entry.kind === 'finished') return [];
    const what = entry.kind === 'deferred' ? `${entry.reason} until ${at(entry.untilMs)}` : entry.kind === 'skipped' ? entry.reason : 'sent';
    return [`${at(entry.atMs)} ${entry.step}: ${what}`];
  });
}

test('nobody approves: the step waits as long as the store says, and goes out as its template', () => {
  expect(rehearsed('approval: 4h')).toEqual(['2h nudge: approval until 6h', '6h nudge: sent', '24h last: sent']);
});

test('where no approval is asked for, or at most until the due time, nothing waits', () => {
  expect(rehearsed('')[0]).toBe('2h nudge: sent');
  expect(rehearsed('approval: 0h')[0]).toBe('2h nudge: sent');
});

test.each(['approved', 'rejected'])('a text that is %s goes on at once', (event) => {
  const said = rehearsed(`approval: 4h\nevents:\n  - { at: 3h, event: ${event}, step: nudge }`);
  expect(said.slice(0, 2)).toEqual(['2h nudge: approval until 6h', '3h nudge: sent']);
  expect(rehearsed(`approval: 4h\nevents:\n  - { at: 1h, event: ${event}, step: nudge }`)[0]).toBe('2h nudge: sent');
});

test('the wait ends before the step is too old', () => {
  const said = rehearsed('approval: 100h', ', expires: 3h');
  expect(said[0]).toMatch(/^2h nudge: approval until 4\.99/);
  expect(said[1]).toMatch(/^4\.99\S+ nudge: sent$/);
});

test('a step does not wait for an approval into hours after which it would be too old', () => {
  // Left at 10:00, due at 12:00, and quiet from 14:00 on for longer than it lives.
  const quiet = 'quietHours: { from: "14:00", to: "08:00" }';
  expect(rehearsed(`approval: 4h\n${quiet}`, ', expires: 5h')[0]).toBe('2h nudge: sent');
  expect(rehearsed(`approval: 1h\n${quiet}`, ', expires: 5h').slice(0, 2)).toEqual(['2h nudge: approval until 3h', '3h nudge: sent']);
  // It lives until the quiet hours are over: then it waits.
  expect(rehearsed(`approval: 4h\n${quiet}`, ', expires: 30h').slice(0, 2)).toEqual(['2h nudge: quiet_hours until 22h', '22h nudge: sent']);
});

test('a step with an offer goes out as its template, and waits for nobody', () => {
  expect(rehearsed('approval: 4h', ', offer: true')[0]).toBe('2h nudge: sent');
});
