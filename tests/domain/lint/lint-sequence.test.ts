import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { lintSequence } from '../../../domain/lint/lint-sequence.ts';
import type { TenantSettings } from '../../../domain/tenant-settings.ts';

const head = 'sequence: cart\nname: Cart\non: cart.abandoned\n';
const email = (id: string, at: string, more = '') =>
  `  - { id: ${id}, at: ${at}, channel: email, content: cart/${id}${more === '' ? '' : `, ${more}`} }`;
const found = (yaml: string, store: Partial<TenantSettings> = {}) =>
  lintSequence(yaml, store).map(({ line, column, severity, rule, message }) => `${line}:${column} ${severity} ${rule}: ${message}`);
const rulesIn = (yaml: string, store: Partial<TenantSettings> = {}) => lintSequence(yaml, store).map(({ rule, line }) => `${rule} ${line}`);
const steps = (...lines: string[]) => `${head}steps:\n${lines.join('\n')}\n`;

const folder = fileURLToPath(new URL('../../../sequences/', import.meta.url));
test.each(readdirSync(folder).filter((name) => name.endsWith('.yaml')))('%s has nothing against it', (name) => {
  expect(found(readFileSync(`${folder}${name}`, 'utf8'), { country: 'US', postalAddress: '1 Main Street, Springfield' })).toEqual([]);
});

test('a mistake of format is an error with its place', () => {
  expect(found(steps(email('a', '2w')))).toEqual([
    '5:14 error format: Step `a`: `at` is no span (`2w`): write a whole number and s, m, h or d, such as 30m, 2h or 3d',
  ]);
});

describe('a condition that never holds', () => {
  const when = (condition: string) =>
    rulesIn(steps(email('a', '2h'), '  - { id: mark, at: 3h, channel: none }', email('b', '24h', `when: ${condition}`)));

  test.each([
    'converted',
    'replied',
    '{ replied: a }',
    '{ opened: mark }',
    '{ all: [{ segment: FIRST_TIME }, { segment: RETURNING }] }',
    '{ all: [{ stage: 3d }, { stage: 7d }] }',
    '{ all: [{ value: { atLeast: 100 } }, { value: { below: 50 } }] }',
    '{ all: [{ clicked: a }, { not: { opened: a } }] }',
    '{ all: [{ opened: a }, { not: { opened: a } }] }',
    '{ all: [{ attribute: { name: contact.country, is: AT } }, { attribute: { name: contact.country, is: DE } }] }',
    '{ all: [{ attribute: { name: cart.units, atLeast: 5 } }, { attribute: { name: cart.units, below: 2 } }] }',
    '{ not: { any: [{ opened: a }, { not: { opened: a } }] } }',
  ])('%s', (condition) => {
    expect(when(condition)).toEqual(['unreachable 7']);
  });

  test.each([
    '{ not: converted }',
    '{ not: replied }',
    '{ not: { opened: mark } }',
    '{ any: [converted, { clicked: a }] }',
    '{ all: [{ opened: a }, { not: { clicked: a } }] }',
    '{ all: [{ segment: RETURNING }, { segment: LOW_STOCK }] }',
    '{ all: [{ stock: { below: 5 } }, { stock: { atLeast: 9 } }] }',
    '{ all: [{ value: { atLeast: 99.5 } }, { value: { below: 99.6 } }] }',
    '{ all: [{ attribute: { name: contact.country, is: [AT, DE] } }, { not: { attribute: { name: contact.country, is: DE } } }] }',
  ])('and not one that may: %s', (condition) => {
    expect(when(condition)).toEqual([]);
  });

  test('is named with its reason and remedy', () => {
    expect(found(steps(email('a', '2h'), email('b', '24h', 'when: replied')))).toEqual([
      '6:56 warning unreachable: Step `b`: `when` never holds: the sequence ends at a reply (`stopOn`), so `replied` is never true. The step is never sent: change the condition, or remove the step',
    ]);
  });

  test('holds where the sequence runs on after a reply', () => {
    const runsOn = steps(email('a', '2h'), email('b', '24h', 'when: { replied: a }')).replace('steps:', 'stopOn: [purchased, opted_out]\nsteps:');
    expect(found(runsOn)).toEqual([]);
  });
});

describe('a step that cannot go out', () => {
  test('because its window lies in the quiet hours', () => {
    expect(found(steps(email('a', '2h', 'window: { from: 22:00, to: "23:00" }')))).toEqual([
      expect.stringMatching(
        /^5:5 warning unreachable: Step `a` never goes out: it waits for .*the end of the quiet hours.*its own `window`.*Move it/,
      ) as string,
    ]);
    expect(found(steps(email('a', '2h', 'window: { from: 22:00, to: "23:00" }')), { quietHours: null })).toEqual([]);
  });

  test('because it comes too soon after the one before', () => {
    expect(found(steps(email('a', '2h'), email('b', '3h', 'expires: 30m')), { quietHours: null })).toEqual([
      expect.stringMatching(/^6:5 warning unreachable: Step `b` never goes out: it waits for three hours between two messages/) as string,
    ]);
  });

  test('at some hours: its window stays closed for longer than it lives', () => {
    const weekend = steps(email('a', '2h', 'window: { days: [mon, tue, wed, thu, fri] }, expires: 12h'));
    expect(found(weekend)).toEqual([
      expect.stringMatching(/^5:5 warning may_be_lost: Step `a` is lost where the subject is left on a Friday/) as string,
    ]);
    expect(found(weekend.replace(', expires: 12h', ''))).toEqual([]);
  });

  test('because a cap of days outlasts its expiry: one text more than the cap allows; `whenCapped: wait` is the remedy', () => {
    const texts = ['1d', '2d', '3d', '4d'].map((at, index) => `  - { id: text_${index}, at: ${at}, channel: sms, content: lead/text }`);
    const four = (more = '') => `sequence: lead\nname: Lead\non: lead.created\nmaxAge: 30d\n${more}steps:\n${texts.join('\n')}\n`;
    expect(found(four())).toEqual([
      expect.stringMatching(
        /^9:5 warning unreachable: .*never goes out.*room under the caps.*3 texts are the most for one person in 7 days.*let the sequence say `whenCapped: wait`$/,
      ),
    ]);
    expect(found(four('whenCapped: wait\n'))).toEqual([]);
    expect(found(four(), { caps: [] })).toEqual([]);
  });

  test('but not a pop-up that lapses by its author’s wish', () => {
    const popUp = '  - { id: p, at: 1h, channel: onsite, content: cart/p, window: { from: 09:00, to: "17:00" }, lapsesWith: a }';
    expect(found(steps(popUp, email('a', '2h')))).toEqual([]);
  });
});

describe('texts about carts in the United States', () => {
  const text = (id: string, at: string) => `  - { id: ${id}, at: ${at}, channel: [sms, email], content: cart/${id} }`;

  test('are one, within 48 hours; an error where the store is there, a warning where nobody knows', () => {
    const two = steps(text('a', '2h'), text('b', '24h'));
    expect(found(two)).toEqual([
      '6:23 warning us_texts: Step `b`: `channel` is one text too many: carriers in the United States accept one text about a cart, within 2d after it was left. Take another channel',
    ]);
    expect(lintSequence(two, { country: 'US' })).toMatchObject([{ severity: 'error' }]);
    expect(found(two, { country: 'AT' })).toEqual([]);
    expect(rulesIn(steps(text('a', '48h')))).toEqual(['us_texts 5']);
    expect(rulesIn(steps(text('a', '47h')))).toEqual([]);
  });

  test('texts to leads are as many as they like', () => {
    const toLeads = steps(text('a', '2h'), text('b', '24h')).replace('cart.abandoned', 'lead.created');
    expect(found(toLeads, { country: 'US' })).toEqual([]);
  });
});

test('a store that sends emails needs a postal address', () => {
  expect(found(steps(email('a', '2h')), { postalAddress: ' ' })).toEqual([
    expect.stringMatching(/^5:22 error postal_address: Step `a`: `channel` sends an email, and the store has no postal address/) as string,
  ]);
  expect(found(steps(email('a', '2h')), { postalAddress: '1 Main Street' })).toEqual([]);
});

test('a reaction to what nobody learns of', () => {
  const reaction = (on: string) => `  - { id: nudge, on: ${on}, after: 6h, channel: email, content: cart/nudge }`;
  const text = '  - { id: text, after: 4h, channel: sms, content: cart/text }';
  const mark = '  - { id: mark, after: 4h, channel: none }';
  const rules = (on: string, store: Partial<TenantSettings> = {}) =>
    rulesIn(steps(email('a', '2h'), text, mark, reaction(on)), { legalHours: false, quietHours: null, ...store });
  expect(rules('{ event: message.opened, step: text }')).toEqual(['unreachable 8']);
  expect(rules('{ event: message.opened, step: a }', { trackOpens: false })).toEqual(['unreachable 8']);
  expect(rules('{ event: message.clicked, step: mark }')).toEqual(['unreachable 8']);
  expect(rules('{ event: message.clicked, step: text }')).toEqual([]);
  expect(rules('{ event: message.opened, step: a }')).toEqual([]);
});
