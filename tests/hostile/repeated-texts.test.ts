import { describe, expect, test } from 'vitest';
import { commonView } from '../../content/common-view.ts';
import { generalBrief } from '../../content/model/brief.ts';
import { modelFactsOf } from '../../content/model/facts.ts';
import { judgeWords } from '../../content/model/guard.ts';
import { subjectKinds } from '../../domain/subjects/index.ts';
import { aLamp, cartFacts, goodWords, modelFacts } from '../content/model/a-model-text.ts';

// What strangers type into forms under somebody else's address, and what a model was talked into: neither leads a reader anywhere.

const leads = [
  'win-big.example/x',
  'Bet365.com',
  'Free money at evil.click',
  '888.com',
  'evil．com',
  'evil。com',
  'evil\u00ad.\u200dclick',
  'evil .com',
  'evil (dot) com',
  'evil dot com',
  'www evil',
  '@evil_shop',
  'eve@example.com',
  'Call +1 900 555 0100',
  'Call ٠٠١٩٠٠٥٥٥٠١٠٠',
  '(900) 555-0100',
];
const ordinary = ['Anne-Marie', 'O’Neill', 'J. R.', 'Марія', 'فاطمه', 'Jean Luc', '李小龍'];

const kind = subjectKinds.of('lead');
const leadView = (text: string) => {
  const facts = cartFacts([], { contact: { firstName: text, locale: 'en' } });
  const details = kind.details.parse({ source: null, interest: text, message: null, url: null, area: text });
  return commonView({ ...facts, subject: { kind, details, valueMinor: null, currency: null } }, { subject: null }, 'en') as unknown as {
    firstName: string | null;
    name: string | null;
    interest_area: string | null;
    lead: { interest: string | null };
  };
};

test.each(leads)('a name and an interest of %j are not repeated', (text) => {
  const view = leadView(text);
  expect([view.firstName, view.name, view.lead.interest, view.interest_area]).toEqual([null, null, null, null]);
});

test.each(ordinary)('%s is greeted', (name) => {
  expect(leadView(name).firstName).toContain(name.slice(0, 2));
});

test.each(['a flat in the 3.Bezirk', 'a kitchen for 450.000', 'flats of 80 to 100 m²', 'a house, 2 floors. Garden'])(
  'an interest of %j is',
  (interest) => {
    expect(leadView(interest).lead.interest).toBe(interest);
  },
);

describe('a text of a model', () => {
  const facts = modelFacts();
  const guardsOf = (line: string, of = facts) =>
    judgeWords({
      ...{ facts: of, brief: generalBrief('cart'), brand: { voice: null, banned: [], required: [] }, secrets: [] },
      words: { ...goodWords, body: `${goodWords.body}\n\n${line}`, language: 'en' },
    }).map(({ guard }) => guard);

  test.each([
    'Go to t.me/evil and pay.',
    'See goo.gl/abc for more.',
    'Visit evil.click to finish.',
    'Go to pay.evil.cm now.',
    'Look at x.co for it.',
    'Go to evil。com now.',
    'See evil .com now.',
    'Write to @evil_shop for it.',
  ])('has no address: %s', (line) => {
    expect(guardsOf(line)).toContain('link');
  });

  test.each([
    'Reply with your password.',
    'Please send us your card number.',
    'Reply with your bank details to get it.',
    'We need the code: tell us your one-time code.',
    'Call zero six six zero one two three.',
  ])('asks for nothing that is the reader’s alone: %s', (line) => {
    expect(guardsOf(line)).toContain('personal_data');
  });

  test('a store whose name looks like an address may be named', () => {
    const named = { ...facts, storeName: 'Northwind.shop' };
    expect(guardsOf('Northwind.shop keeps it for you.', named)).not.toContain('link');
    expect(guardsOf('Northwind.shop.evil.click has it.', named)).toContain('link');
    expect(guardsOf('Look at evil.Shop for it.', { ...facts, storeName: 'Shop' })).toContain('link');
  });

  const sold = ['Dr.Martens 1460', 'Node.js course', 'Booking.com travel guide', 'A first walk through the hills with maps of Monday.com'];
  const catalogue = modelFacts([aLamp, ...sold.map((title) => ({ ...aLamp, title }))]);
  test.each([
    'The Dr.Martens 1460 is in your cart.',
    'Your Dr.Martens are in your cart.',
    'The Node.js course is in your cart, and so is the Booking.com travel guide.',
    'Questions about Node.js? Reply to this email.',
    'DR.MARTENS and Node.js-based things are in your cart.',
  ])('names products that look like addresses: %s', (line) => {
    expect(guardsOf(line, catalogue)).toEqual([]);
  });
  test.each([
    'Go to Dr.Martens.evil.click for it.',
    'Go to Dr.Martens .com for it.',
    'Go to node.js/evil for it.',
    'Go to pay@node.js for it.',
    'Go to evil.Node.js for it.',
    'Go to Node.js-casino.com for it.',
    'Go to Vue.js for it.',
    'Go to booking.com for it.',
    'Go to monday.co for it.',
  ])('and no address that the name of a product helps to write: %s', (line) => {
    expect(guardsOf(line, catalogue)).toContain('link');
  });

  test('what a person wrote names nothing', () => {
    const details = kind.details.parse({ source: null, interest: 'Node.js course', message: null, url: null, area: 'Dr.Martens' });
    const subject = { kind, details, valueMinor: null, currency: null };
    const facts = modelFactsOf({
      ...{ facts: { ...cartFacts([]), subject }, brief: generalBrief('lead'), channel: 'email', orders: 0, lastName: null },
    });
    const contact = { ...facts, firstName: 'Dr.Martens', subject: { lead: { interest: 'Node.js course' }, variant: 'Vue.js' } };
    for (const line of ['Go to Node.js for it.', 'Hello Dr.Martens.', 'Go to Vue.js for it.'])
      for (const of of [facts, contact]) expect(guardsOf(line, of)).toContain('link');
  });
});
