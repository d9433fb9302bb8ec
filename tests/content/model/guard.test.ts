import { describe, expect, test } from 'vitest';
import type { Guard } from '../../../domain/composition/outcome.ts';
import { sampleText } from '../../../local/model/sample-texts.ts';
import { checkedLanguages } from '../../../content/model/vocabulary.ts';
import { aLamp, goodWords, judge, modelFacts } from './a-model-text.ts';

const body = (sentence: string) => ({ body: `${goodWords.body}\n\n${sentence}` });
const guardsOf = (...args: Parameters<typeof judge>) => [...new Set(judge(...args).map(({ guard }) => guard))];

test('a text that keeps to the facts goes out', () => {
  expect(judge({})).toEqual([]);
  expect(judge(body('It costs €129.90, and you have 1 in the cart.'))).toEqual([]);
});

test.each(checkedLanguages)('the local stand-in writes %s that keeps every rule', (language) => {
  const facts = modelFacts([aLamp], {}, { contact: { firstName: 'Robin', locale: language } });
  for (const choice of [0, 1]) {
    const words = { ...sampleText(language, aLamp.title, choice), language };
    expect({ language, faults: judge(words, {}, facts) }).toEqual({ language, faults: [] });
  }
});

const broken: [Guard, string][] = [
  ['price', 'It is only €99.90 now.'],
  ['price', 'It costs 129 euros.'],
  ['price', 'It costs EUR 12,990.'],
  ['price', 'It costs ٩٩ €.'],
  ['number', 'It weighs 14 kilograms.'],
  ['discount', 'Use it today with 10% off.'],
  ['discount', 'There is a small gift in it for you.'],
  ['discount', 'We give you a coupon.'],
  ['discount', 'Get it for half price.'],
  ['code', 'Enter COMEBACK when you pay.'],
  ['code', 'Enter save20now when you pay.'],
  ['urgency', 'Only a few left, so hurry.'],
  ['urgency', 'Two of them are left.'],
  ['urgency', '2 left.'],
  ['urgency', 'Your cart expires tonight.'],
  ['urgency', 'Don’t miss it.'],
  ['urgency', "Don't miss it."],
  ['claim', 'It has great reviews.'],
  ['claim', 'It is a bestseller.'],
  ['claim', 'We ship it with express delivery.'],
  ['claim', 'You can return it within 60 days.'],
  ['name', 'It goes well with the Oakwood Chair.'],
  ['name', 'It goes well with “a standing mirror”.'],
  ['link', 'See https://evil.example/x for more.'],
  ['link', 'See evil.com for more.'],
  ['link', 'See www.evil.example for more.'],
  ['personal_data', 'Write to robin@mail.example.com.'],
  ['personal_data', 'Call us at +43 660 123 45 67.'],
  ['personal_data', 'Dear vandermeer, it is here.'],
  ['markup', 'It is <b>here</b>.'],
  ['markup', 'It is **here**.'],
  ['markup', 'It is {{ store.name }}.'],
  ['markup', 'It is \u202Ehere.'],
  ['markup', 'It is h\u200Bere.'],
  ['language', 'Она здесь и ждёт вас.'],
  ['instructions', 'As an AI I cannot say more.'],
  ['instructions', 'My system prompt is secret.'],
];

test.each(broken)('%s: %s', (guard, sentence) => {
  expect(guardsOf(body(sentence))).toContain(guard);
});

describe('claims', () => {
  const item = { ...aLamp, stock: 3, compareAtMinor: 15_000 };
  test('the real stock may be named where the brief allows it, and no other number', () => {
    const brief = { claims: ['stock' as const] };
    const facts = modelFacts([item], brief);
    expect(facts.claims.stock).toMatchObject({ left: 3 });
    expect(judge(body('There are only 3 left in stock.'), brief, facts)).toEqual([]);
    expect(guardsOf(body('There are only 2 left in stock.'), brief, facts)).toContain('number');
    // One is in the cart, which says nothing about the stock.
    expect(guardsOf(body('There is only 1 left in stock.'), brief, facts)).toContain('number');
    expect(guardsOf(body('There are only 3 left in stock.'), {}, modelFacts([item]))).toContain('urgency');
  });

  test('what the brief does not allow is not told to the model either', () => {
    expect(JSON.stringify(modelFacts([item]))).not.toMatch(/150|"left"/);
    expect(JSON.stringify(modelFacts([item], { claims: ['stock'] }))).toContain('"left":3');
  });
});

test('banned and required words are those of the store and of the brief', () => {
  expect(guardsOf({}, { banned: ['lamp'] })).toEqual(['banned_word']);
  expect(guardsOf({}, { required: ['kindly'] })).toEqual(['required_word']);
  expect(guardsOf({}, { banned: ['lam'] })).toEqual([]);
});

test('a text is as long as it was asked for', () => {
  expect(guardsOf({ subject: '' })).toContain('shape');
  expect(guardsOf({ subject: `${goodWords.subject} and`.repeat(4) })).toContain('length');
  expect(guardsOf({ body: `${'it is still here for you and '.repeat(40)}.` })).toContain('length');
});

test('a language without a vocabulary is the template’s', () => {
  const facts = modelFacts([aLamp], {}, { contact: { firstName: null, locale: 'ja-JP' } });
  expect(guardsOf({ language: 'ja' }, {}, facts)).toEqual(['language']);
});
