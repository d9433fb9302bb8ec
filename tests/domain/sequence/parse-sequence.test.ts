import { describe, expect, test } from 'vitest';
import { parseSequence } from '../../../domain/sequence/parse-sequence.ts';
import { describeFileErrors } from '../../../domain/yaml-file.ts';
import type { Condition } from '../../../domain/sequence/definition.ts';
import { subjectKindsOf } from '../../../domain/subjects/index.ts';
import { lead } from '../../../domain/subjects/lead/index.ts';

/** A valid file; `steps` and `more` replace or add lines. */
function file({ steps = '  - { id: email_2h, at: 2h, channel: email, content: cart/email_2h }', more = '' } = {}): string {
  return `sequence: cart\nname: Cart recovery\non: cart.abandoned\n${more}${more === '' ? '' : '\n'}steps:\n${steps}\n`;
}

function definitionOf(yaml: string) {
  const parsed = parseSequence(yaml);
  if (!parsed.ok) throw new Error(describeFileErrors('cart.yaml', parsed.errors));
  return parsed.definition;
}

function errorsOf(yaml: string): string[] {
  const parsed = parseSequence(yaml);
  return parsed.ok ? [] : parsed.errors.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

describe('a file', () => {
  test('needs only a name, a trigger and steps; the rest has defaults', () => {
    expect(definitionOf(file())).toEqual({
      sequence: 'cart',
      name: 'Cart recovery',
      on: 'cart.abandoned',
      quietForMs: 3_600_000,
      stopOn: ['purchased', 'replied', 'opted_out'],
      maxAgeMs: 604_800_000,
      reentry: 'once-per-subject',
      holdoutPercent: 0,
      priority: 3,
      goal: { event: 'order.placed', withinMs: 604_800_000 },
      steps: [
        {
          id: 'email_2h',
          due: { from: 'anchor', delayMs: 7_200_000 },
          channels: ['email'],
          content: 'cart/email_2h',
          when: null,
          lapsesWith: null,
          expiresAfterMs: null,
          maxRetries: 3,
        },
      ],
    });
  });

  test('may say everything that the format knows', () => {
    const steps = [
      '  - { id: popup, at: 1h, channel: onsite, content: cart/popup, lapsesWith: mail, window: { from: 09:00 } }',
      '  - { id: mail, at: 2h, channel: email, content: cart/mail, expires: 4h, maxRetries: 1, onFailure: end }',
      '  - id: nudge',
      '    after: 6h',
      '    channel: [sms, email]',
      '    content: cart/nudge',
      '    window: { from: 22:30, to: "06:00", days: [fri, sat] }',
      '    when: { all: [{ not: converted }, { any: [{ opened: mail }, { segment: HIGH_VALUE }] }, { value: { atLeast: 99.5, below: 500 } }] }',
      '  - { id: mark, after: 0s, channel: none }',
    ].join('\n');
    const { steps: read, ...sequence } = definitionOf(file({ steps, more: 'quietFor: 30m\nholdout: 2.5%\npriority: 1\nwhenCapped: wait' }));
    expect(sequence).toMatchObject({ quietForMs: 1_800_000, priority: 1, holdoutPercent: 2.5, whenCapped: 'wait' });
    expect(read[0]).toMatchObject({
      lapsesWith: 'mail',
      window: { fromMinute: 540, toMinute: 1440, days: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
    });
    expect(read[1]).toMatchObject({ expiresAfterMs: 14_400_000, maxRetries: 1, onFailure: 'end' });
    expect(read[2]).toMatchObject({
      due: { from: 'previous', delayMs: 21_600_000 },
      channels: ['sms', 'email'],
      window: { fromMinute: 1350, toMinute: 360, days: ['fri', 'sat'] },
      when: { all: [{ not: 'converted' }, { any: [{ opened: 'mail' }, { segment: 'HIGH_VALUE' }] }, { value: { atLeast: 99.5, below: 500 } }] },
    });
    expect(read[3]).toMatchObject({ channels: ['none'], content: null });
  });

  test.each<[string, Condition]>([
    ['replied', 'replied'],
    ['{ not: { replied: mail } }', { not: { replied: 'mail' } }],
    ['{ stage: 7d }', { stage: '7d' }],
    ['{ stock: { atLeast: 1, below: 5 } }', { stock: { atLeast: 1, below: 5 } }],
    ['{ attribute: { name: contact.country, is: AT } }', { attribute: { name: 'contact.country', is: ['AT'] } }],
    ['{ attribute: { name: contact.language, is: [de, fr] } }', { attribute: { name: 'contact.language', is: ['de', 'fr'] } }],
    ['{ attribute: { name: cart.units, atLeast: 3 } }', { attribute: { name: 'cart.units', atLeast: 3 } }],
  ])('has the condition %s', (written, read) => {
    const steps = `  - { id: mail, at: 2h, channel: email, content: cart/mail }\n  - { id: b, at: 3h, channel: email, content: cart/b, when: ${written} }`;
    expect(definitionOf(file({ steps })).steps[1]?.when).toEqual(read);
  });

  test('may as well be JSON', () => {
    const { sequence, name, on } = { sequence: 'cart', name: 'Cart recovery', on: 'cart.abandoned' };
    const steps = [{ id: 'email_2h', at: '2h', channel: 'email', content: 'cart/email_2h', when: { not: 'replied' } }];
    expect(definitionOf(JSON.stringify({ sequence, name, on, steps }, null, 2)).steps[0]?.when).toEqual({ not: 'replied' });
    expect(errorsOf(JSON.stringify({ sequence, name, on, steps: [{ ...steps[0], at: '2w' }] }, null, 2))[0]).toMatch(
      /^8:7 Step `email_2h`: `at` is no span/,
    );
  });
});

describe('a mistake is named with its line and its remedy:', () => {
  const step = (words: string) => `  - { id: email, at: 2h, channel: email, content: cart/email, ${words} }`;

  test.each([
    ['a field that is missing', 'sequence: cart\nname: x\non: cart.abandoned\n', '1:1 `steps` is missing: write a list of steps'],
    ['a field that nobody knows', file({ more: 'quitFor: 1h' }), '4:1 `quitFor` is not a field here: check its spelling, or remove it'],
    [
      'a step field that nobody knows',
      file({ steps: step('chanel: sms') }),
      '5:63 Step `email`: `chanel` is not a field here: check its spelling, or remove it',
    ],
    ['a number where a span belongs', file({ more: 'quietFor: 60' }), '4:1 `quietFor` is not understood: write a span such as 30m, 2h or 3d'],
    [
      'a span of a kind that does not exist',
      file({ more: 'maxAge: 2w' }),
      '4:1 `maxAge` is no span (`2w`): write a whole number and s, m, h or d, such as 30m, 2h or 3d',
    ],
    [
      'a step without a time',
      file({ steps: '  - { id: a, channel: email, content: cart/a }' }),
      '5:5 Step `a`: `at` is missing: say when, with `at` (from the start) or `after` (from the previous step)',
    ],
    ['a step with two times', file({ steps: step('after: 1h') }), '5:63 Step `email`: `after` stands beside `at`: a step has one of them'],
    [
      'a mail without a text',
      file({ steps: '  - { id: a, at: 2h, channel: email }' }),
      '5:5 Step `a`: `content` is missing: name the text that this step sends, such as cart/email_2h',
    ],
    [
      'a text outside the folder of texts',
      file({ steps: '  - { id: a, at: 2h, channel: email, content: ../secrets }' }),
      '5:38 Step `a`: `content` is not understood: write the name of a text such as cart/email_2h',
    ],
    [
      'a channel that nobody knows',
      file({ steps: '  - { id: a, at: 2h, channel: [email, fax], content: cart/a }' }),
      '5:39 Step `a`: `channel[1]` is not understood: write one of email, sms, whatsapp, call, telegram, push, onsite, crm, task, none',
    ],
    [
      'a next channel that does not exist',
      file({ steps: step('onFailure: next-channel') }),
      '5:63 Step `email`: `onFailure` needs a second channel: write `channel: [email, …]`, or skip',
    ],
    [
      'a failure that nobody knows',
      file({ steps: step('onFailure: retry') }),
      '5:63 Step `email`: `onFailure` is not understood: write one of skip, next-channel, end',
    ],
    [
      'a window that is never open',
      file({ steps: step('window: { from: 09:00, to: 09:00 }') }),
      '5:63 Step `email`: `window` is never open: `from` and `to` are the same',
    ],
    [
      'a time that does not exist',
      file({ steps: step('window: { from: 9:00 }') }),
      '5:73 Step `email`: `window.from` is no time of day (`9:00`): write it from 00:00 to 24:00, such as 09:00',
    ],
    [
      'a day that does not exist',
      file({ steps: step('window: { days: [montag] }') }),
      '5:80 Step `email`: `window.days[0]` is not understood: write one of sun, mon, tue, wed, thu, fri, sat',
    ],
    ['too large a holdout', file({ more: 'holdout: 50.1%' }), '4:1 `holdout` is too large: at most 50%, so that most people get something'],
    ['a holdout without its sign', file({ more: 'holdout: 10' }), '4:1 `holdout` is not understood: write a share such as 10%'],
    [
      'a silent mark with company',
      file({ steps: '  - { id: a, at: 2h, channel: [none, email], content: cart/a }' }),
      '5:22 Step `a`: `channel` `none` stands alone: a silent mark has no other channel',
    ],
    ['an id twice', file({ steps: `${step('')}\n${step('')}` }), '6:7 Step `email`: `id` `email` is taken by an earlier step: ids are unique'],
    [
      'an id that JavaScript would trip over',
      file({ steps: '  - { id: constructor, at: 2h, channel: email, content: cart/a }' }),
      '5:7 Step `constructor`: `id` is a reserved word: choose another id',
    ],
    [
      'a condition on a step that is not earlier',
      file({ steps: step('when: { clicked: email }') }),
      '5:63 Step `email`: `when` names `email`, which is no earlier step',
    ],
    [
      'a condition that nobody knows',
      file({ steps: step('when: { oppened: email }') }),
      '5:71 Step `email`: `when.oppened` is no condition: write converted, opened, clicked, replied, segment, stage, value, stock, attribute, arm, not, all or any',
    ],
    [
      'two conditions side by side',
      file({ steps: step('when: { segment: RETURNING, opened: email }') }),
      '5:63 Step `email`: `when` must hold exactly one condition: join several with all or any',
    ],
    [
      'a segment that does not exist',
      file({ steps: step('when: { not: { segment: RICH } }') }),
      '5:78 Step `email`: `when.not.segment` must be one of FIRST_TIME, HIGH_VALUE, RETURNING, LOW_STOCK',
    ],
    [
      'a stage that does not exist',
      file({ steps: step('when: { stage: 5d }') }),
      '5:71 Step `email`: `when.stage` must be one of none, 24h, 3d, 7d, 14d, 30d',
    ],
    [
      'a range that nothing is in',
      file({ steps: step('when: { stock: { atLeast: 3, below: 3 } }') }),
      '5:71 Step `email`: `when.stock` can never hold: nothing is at least 3 and below 3',
    ],
    [
      'a stock without a bound',
      file({ steps: step('when: { stock: low }') }),
      '5:71 Step `email`: `when.stock` must be { atLeast: … } or { below: … } with a number of units, such as 5',
    ],
    [
      'an attribute that nobody knows',
      file({ steps: step('when: { not: { attribute: { name: lead.source, is: META } } }') }),
      '5:63 Step `email`: `when` asks for the attribute `lead.source`, which is not known here: write one of cart.origin, cart.products, cart.units, contact.country, contact.region, contact.language, contact.orders, contact.hasPhone',
    ],
    [
      'an attribute without a question',
      file({ steps: step('when: { attribute: { name: cart.units } }') }),
      '5:71 Step `email`: `when.attribute` must be { name: contact.country, is: AT }, { name: …, is: [AT, DE] } or { name: cart.units, atLeast: 3 }',
    ],
    [
      'a reply to a step that is not earlier',
      file({ steps: step('when: { replied: later }') }),
      '5:63 Step `email`: `when` names `later`, which is no earlier step',
    ],
    [
      'a pop-up that lapses with an earlier step',
      file({ steps: step('lapsesWith: email') }),
      '5:63 Step `email`: `lapsesWith` names `email`, which is no later step',
    ],
    [
      'steps out of order',
      file({ steps: `${step('')}\n  - { id: b, at: 1h, channel: email, content: cart/b }` }),
      '6:14 Step `b`: `at` lies before the step above it (2h): steps run in order',
    ],
    [
      'a first step while the shopper may still be busy',
      file({ more: 'quietFor: 3h' }),
      '6:21 Step `email_2h`: `at` lies before the end of quietFor (3h): nothing counts as abandoned until then',
    ],
    ['a step beyond the end', file({ more: 'maxAge: 2h' }), '6:21 Step `email_2h`: `at` lies beyond maxAge (2h): the step would never go out'],
    [
      'a re-entry that nobody knows',
      file({ more: 'reentry: { cooldown: soon }' }),
      '4:1 `reentry` is not understood: write once-per-subject, once-per-silence, once-per-entry or { cooldown: 30d }',
    ],
    [
      'a trigger that no kind of subject has',
      file().replace('cart.abandoned', 'cart.forgotten'),
      '3:1 `on` is not understood: write one of cart.abandoned, lead.created, lead.silent, chat.ghosted, risk.entered, manual, bulk',
    ],
    [
      'a sequence about a band of risk that names none',
      file().replace('cart.abandoned', 'risk.entered'),
      '1:1 `band` is missing: write early, active or critical, whose entry starts the sequence',
    ],
    [
      'a bulk sequence about nothing',
      file().replace('cart.abandoned', 'bulk'),
      '1:1 `about` is missing: a bulk sequence says what it is about, cart, lead or account',
    ],
    [
      'a manual sequence about nothing',
      file().replace('cart.abandoned', 'manual'),
      '1:1 `about` is missing: a manual sequence says what it is about, cart, lead or account',
    ],
    [
      'a holdout of those who are taken in by hand',
      file({ more: 'about: cart\nholdout: 10%' }).replace('cart.abandoned', 'manual'),
      '5:1 `holdout` has no use in a manual sequence: whoever is taken in by hand gets the messages. Remove it',
    ],
    ['what a trigger says already', file({ more: 'about: cart' }), '4:1 `about` has no use here: cart.abandoned says what it is about. Remove it'],
    ['an opt-out that ends nothing', file({ more: 'stopOn: [purchased, replied]' }), '4:1 `stopOn` must contain opted_out: it ends every sequence'],
  ])('%s', (_, yaml, error) => {
    expect(errorsOf(yaml)).toEqual([error]);
  });

  test('copy by a model needs a text that stands in for it', () => {
    const step = (content: string) => file({ steps: `  - { id: a, at: 2h, channel: email, content: ${content} }` });
    expect(errorsOf(step('{ model: cart/a, fallback: cart/a }'))).toEqual([]);
    expect(errorsOf(step('{ model: cart/a }')).join()).toMatch(/fallback.* is missing: write the name of a text/);
  });

  test('several at once, in the order of the file', () => {
    const errors = errorsOf(
      'sequence: Cart\non: cart.abandoned\nname: x\nquietFor: 1\nsteps:\n  - { id: a, at: 1x, channel: email, content: cart/a }\n',
    );
    expect(errors.map((error) => error.split(' ')[0])).toEqual(['1:1', '4:1', '6:14']);
  });
});

test('a manual sequence is about what it says, and waits for nothing', () => {
  const byHand = parseSequence(file({ more: 'about: lead' }).replace('cart.abandoned', 'manual').replace('cart/email_2h', 'lead/hello'));
  expect(byHand).toMatchObject({
    ok: true,
    definition: { on: 'manual', about: 'lead', quietForMs: 0, stopOn: ['purchased', 'replied', 'opted_out', 'contacted'] },
  });
});

test('a sequence has the defaults of what it is about', () => {
  const cart = parseSequence(file());
  const lead = parseSequence(file({ more: 'reentry: { cooldown: 30d }' }).replace('cart.abandoned', 'lead.created'));
  expect(cart).toMatchObject({ ok: true, definition: { quietForMs: 3_600_000, stopOn: ['purchased', 'replied', 'opted_out'] } });
  expect(lead).toMatchObject({
    ok: true,
    definition: {
      quietForMs: 0,
      stopOn: ['purchased', 'replied', 'opted_out', 'contacted'],
      reentry: { cooldownMs: 30 * 86_400_000 },
      on: 'lead.created',
    },
  });
});

test('a kind of subject that an installation registers brings its own trigger', () => {
  const visit = { ...lead, kind: 'visit', trigger: 'visit.missed', stopOn: ['purchased', 'opted_out'] as const, quietForMs: 60_000 };
  const kinds = subjectKindsOf([visit]);
  const parsed = parseSequence(file().replace('cart.abandoned', 'visit.missed'), kinds);
  expect(parsed).toMatchObject({ ok: true, definition: { on: 'visit.missed', quietForMs: 60_000, stopOn: ['purchased', 'opted_out'] } });
  expect(parseSequence(file(), kinds)).toMatchObject({
    ok: false,
    errors: [{ message: '`on` is not understood: write one of visit.missed, lead.silent, chat.ghosted, manual, bulk' }],
  });
  expect(() => subjectKindsOf([lead, { ...visit, trigger: 'lead.created' }])).toThrow('in common');
});

test.each([
  ['', 1],
  ['- 1', 1],
  ['a: [', 1],
  ['a: 1\na: 2', 2],
  ['sequence: *nowhere', 1],
  [`a: &a [x]\nb: &b [${'*a,'.repeat(60)}]\nc: [${'*b,'.repeat(60)}]`, 1],
  ['x'.repeat(300_000), 1],
])('text that is no sequence is refused, not thrown at the caller', (yaml, line) => {
  const parsed = parseSequence(yaml);
  expect(parsed.ok).toBe(false);
  expect(parsed.ok ? [] : parsed.errors[0]).toMatchObject({ line });
});

test('errors are shown one a line, as editors read them', () => {
  expect(describeFileErrors('cart.yaml', [{ line: 3, column: 5, message: 'A thing.' }])).toBe('cart.yaml:3:5: A thing.');
});
