import { beforeAll, describe, expect, test } from 'vitest';
import { composeMessage } from '../../content/channels/index.ts';
import type { CopyFacts } from '../../content/copy-facts.ts';
import { languageName } from '../../domain/languages.ts';
import { subjectKinds } from '../../domain/subjects/index.ts';
import { tenantSettings } from '../../domain/tenant-settings.ts';
import { loadPresets } from '../../operations/publish-presets.ts';
import type { CompiledPreset } from '../../operations/publish-sequence.ts';
import { aMail, aProduct, type MailGiven } from './a-mail.ts';

let presets: CompiledPreset[];
beforeAll(async () => void (presets = await loadPresets()));

const presetOf = (name: string): CompiledPreset => {
  const found = presets.find(({ definition }) => definition.sequence === name);
  if (found === undefined) throw new Error(`no preset ${name}`);
  return found;
};

const languages = ['en', 'de', 'fr', 'es', 'fa', 'ar', 'ru'];
const locales = ['en-US', 'de-AT', 'fr-CA', 'es-MX', 'fa-IR', 'ar-EG', 'ru-RU'];

const noStore = { supportEmail: null, shippingNote: null, returnsNote: null, logoUrl: null };
const states: Record<string, MailGiven> = {
  'everything known': {
    synthetic: true,
    modifiers: ['LOW_STOCK'],
    items: [aProduct({ quantity: 2, stock: 3, compareAtMinor: 12_000 })],
    reviews: { productTitle: 'Lambswool Blanket', averageOfFive: 4.7, count: 128, quote: { text: 'Warm and light.', author: 'Sam' } },
  },
  'the last one, one review, a first order': {
    modifiers: ['LOW_STOCK'],
    segment: 'FIRST_TIME',
    items: [aProduct({ stock: 1 })],
    reviews: { productTitle: 'Lambswool Blanket', averageOfFive: 5, count: 1, quote: null },
  },
  'no name, no picture, no stock': { firstName: null, items: [aProduct({ imageUrl: null, stock: null })] },
  'nothing but an address': { firstName: null, items: [], totalMinor: null, currency: null, restoreUrl: null, store: noStore },
  'a product of which nothing is known': {
    firstName: null,
    restoreUrl: null,
    totalMinor: null,
    items: [aProduct({ title: '', variant: null, priceMinor: null, imageUrl: null, productUrl: null })],
    store: { ...noStore, name: '' },
  },
  'fifty products': { items: Array.from({ length: 50 }, (_, i) => aProduct({ title: `Candle ${i + 1}`, priceMinor: i * 100 })) },
  emoji: { firstName: 'Zoë 🌿', items: [aProduct({ title: '👩‍👩‍👧‍👦 Mug 🐙', variant: '🇩🇪' })], store: { name: '🕯️ Wax' } },
  'titles of 200 characters': { items: [aProduct({ title: 'Hand-knitted '.repeat(16).slice(0, 200), variant: 'x'.repeat(200) })] },
  'names from right to left': { firstName: 'مریم', items: [aProduct({ title: 'قميص قطن (أزرق)' })], store: { name: 'متجر النور' } },
  'marks of direction and surrogates': { firstName: 'Ada\u202e\ud83d', items: [aProduct({ title: '\u2067Mug\ud83d\udc00' })] },
  'money of three digits': { currency: 'KWD', items: [aProduct({ priceMinor: 12_345 })], totalMinor: 12_345 },
};

const unsubscribe = 'https://r.example.com/u/0123456789';
const shortUrl = 'https://r.example.com/s/0123456789abcdefghijkl';

function factsOf(given: MailGiven, kind: string, isFirst: boolean): CopyFacts {
  const { subjectUrl: _, unsubscribeUrl: __, openPixelUrl: ___, ...common } = aMail(given);
  const isCart = kind === 'cart';
  const known = given.firstName !== null;
  const details = {
    source: null,
    interest: known ? (given.items?.[0]?.title ?? 'a kitchen') : null,
    message: null,
    url: known ? 'https://shop.example.com/kitchens' : null,
  };
  return {
    ...common,
    subject: isCart ? common.subject : { kind: subjectKinds.of(kind), details, valueMinor: null, currency: null },
    contact: { ...common.contact, lastName: null },
    settings: tenantSettings.parse({}),
    links: { click: () => 'https://r.example.com/c/0123456789', short: () => shortUrl, open: () => null, unsubscribe: () => unsubscribe },
    isFirst,
    sendKey: { enrollmentId: 'e', stepId: 's' },
    nowMs: 0,
  };
}

const leftovers = /\{\{|\}\}|\{%|%\}|\[\[|\]\]|\bundefined\b|\bnull\b|\bNaN\b|\[object/;
const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", nbsp: ' ', zwnj: '', '#847': '' };

/** What a reader sees, a line for each block. */
const visible = (html: string) =>
  html
    .replace(/<!--[\s\S]*?-->|<(style|head|title)[\s\S]*?<\/\1>/g, '')
    .replace(/<\/(?:p|h1|h2|td|div|blockquote)>|<br>/g, '\n')
    .replace(/<[^>]*>/g, '')
    .replace(/&(#?\w+);/g, (whole, name: string) => entities[name] ?? whole)
    .replace(/[\u2066-\u2069\u200f\u200e]/g, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** Elements that are closed in another order than they were opened, or not at all. */
function unbalanced(html: string): string[] {
  const open: string[] = [];
  const wrong: string[] = [];
  for (const [, end, name = ''] of html.replace(/<!--[\s\S]*?-->|<!doctype[^>]*>/gi, '').matchAll(/<(\/?)([a-z][a-z0-9]*)\b[^>]*>/gi)) {
    if (/^(?:meta|img|br|hr|link|input|col)$/i.test(name)) continue;
    if (end === '') open.push(name);
    else if (open.pop() !== name) wrong.push(name);
  }
  return [...wrong, ...open];
}

/** A sentence that begins with what ends one, or a gap before it: what a missing value leaves behind. */
const hole = /^[,.;:!?،؛؟]|[ \u00a0][,.،؛](?:\s|$)|\(\s*\)|[“«„]\s*[”»“]| {2}/u;

function check(part: string[], where: string): void {
  expect(
    part.filter((line) => leftovers.test(line) || hole.test(line)),
    where,
  ).toEqual([]);
}

describe.each(['cart', 'lead-nurture', 'silent-lead'])('the texts of %s', (preset) => {
  const kind = preset === 'cart' ? 'cart' : 'lead';
  test.each(Object.keys(states))('read well in every language: %s', (state) => {
    const { definition, content } = presetOf(preset);
    const rendered = new Set<string>();
    for (const [at, locale] of locales.entries()) {
      const texts = definition.steps.flatMap((step) =>
        (step.variants?.map(({ content: name }) => name) ?? [step.content]).map((text) => ({ ...step, text })),
      );
      for (const { id, text, channels } of texts) {
        const channel = channels[0];
        if (text === null || (channel !== 'email' && channel !== 'sms' && channel !== 'onsite')) continue;
        const where = `${id} in ${locale}`;
        const { payload, language } = composeMessage(content, text, channel, factsOf({ locale, ...states[state] }, kind, at === 0), 'a@b.example');
        rendered.add(language ?? '');
        if (payload.channel === 'sms') {
          check(payload.text.split('\n'), where);
          expect(payload.text.split(shortUrl), where).toHaveLength(2);
        }
        if (payload.channel === 'onsite') check([payload.heading, payload.text, payload.cta, payload.close], where);
        if (payload.channel !== 'email') continue;
        expect(payload.subject, where).not.toBe('');
        check([payload.subject, ...visible(payload.html), ...payload.text.replace(/\u200f/g, '').split('\n')], where);
        expect(unbalanced(payload.html), where).toEqual([]);
        expect(payload.html, where).toContain(`lang="${language}"`);
        expect(payload.html, where).toContain(`dir="${language === 'fa' || language === 'ar' ? 'rtl' : 'ltr'}"`);
        expect(payload.html.length, where).toBeLessThan(100_000);
        for (const part of [payload.html, payload.text]) expect(part, where).toContain(unsubscribe);
      }
    }
    expect([...rendered].toSorted()).toEqual(Object.keys(content).some((name) => name.endsWith('.de')) ? languages.toSorted() : ['en']);
  });
});

test('the cart has all of its languages, and none is left in English', () => {
  const { content } = presetOf('cart');
  const texts = Object.entries(content).map(([name, compiled]) => ({ name, ...(compiled as { language: string; text: string }) }));
  // Four emails and the pop-up.
  expect(texts).toHaveLength(5 * languages.length);
  expect([...new Set(texts.map(({ language }) => language))].toSorted()).toEqual(languages.toSorted());
  for (const { name, language, text } of texts) {
    if (language === 'en') continue;
    const words = text.replace(/\{[{%][\s\S]*?[%}]\}/g, '');
    expect(words, `${name} in ${languageName(language)}`).not.toMatch(/\b(?:the|your|you|and|with|this)\b/i);
  }
});

describe('the block of products', () => {
  const blockOf = (given: MailGiven) => {
    const { payload } = composeMessage(presetOf('cart').content, 'cart/email_2h', 'email', factsOf(given, 'cart', false), 'a@b.example');
    if (payload.channel !== 'email') throw new Error(payload.channel);
    return [visible(payload.html).join('\n'), payload.text];
  };
  const product = aProduct({ priceMinor: 8_900, compareAtMinor: 11_900, stock: 3 });
  const reviews = { productTitle: 'Lambswool Blanket', averageOfFive: 4.66, count: 1_234, quote: null };

  test('shows what is known of a product', () => {
    for (const part of blockOf({ items: [product], modifiers: ['LOW_STOCK'], reviews })) {
      for (const fact of ['Lambswool Blanket', 'Moss', '$89.00', 'was $119.00', '25% off', '3 in stock', '4.7 out of 5 (1,234)'])
        expect(part).toContain(fact);
    }
  });

  test('never says more than is true', () => {
    // A reduction is rounded down, one of less than a percent is none, and neither many nor none left are few.
    for (const part of blockOf({ items: [{ ...product, priceMinor: 8_001, compareAtMinor: 10_000 }] })) expect(part).toContain('19% off');
    for (const part of blockOf({ items: [{ ...product, priceMinor: 9_950, compareAtMinor: 10_000 }] })) expect(part).not.toMatch(/% off/);
    for (const stock of [null, 0, 6, 1.5]) {
      for (const part of blockOf({ items: [{ ...product, stock }], modifiers: ['LOW_STOCK'] })) expect(part).not.toContain('in stock');
    }
    // What is claimed of one product is not said of another.
    for (const part of blockOf({ items: [product], reviews: { ...reviews, productTitle: 'Candle' } })) expect(part).not.toContain('out of 5');
    for (const part of blockOf({
      items: [
        { ...product, stock: null },
        { ...product, title: 'Candle' },
      ],
      modifiers: ['LOW_STOCK'],
    })) {
      expect(part.split('in stock')).toHaveLength(2);
    }
  });
});
