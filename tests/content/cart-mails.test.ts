import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { compileEmail } from '../../content/channels/email/compile.ts';
import { loadPresetCopy } from '../../content/preset-copy.ts';
import { renderEmail } from '../../content/channels/email/render.ts';
import type { CompiledEmail } from '../../content/channels/email/compiled.ts';
import { aMail, aProduct, type MailGiven, cartKind } from './a-mail.ts';

const names = ['cart/email_2h', 'cart/email_24h', 'cart/email_48h', 'cart/email_72h'];
const mails = new Map<string, CompiledEmail>();
beforeAll(async () => {
  const copy = await loadPresetCopy(fileURLToPath(new URL('../../sequences/cart', import.meta.url)));
  for (const name of names) {
    const source = copy[name];
    if (source !== undefined) mails.set(name, await compileEmail(source, cartKind));
  }
});

function render(name: string, given: MailGiven = {}) {
  const compiled = mails.get(name);
  if (compiled === undefined) throw new Error(`no copy ${name}`);
  const mail = renderEmail(compiled, aMail(given));
  return { ...mail, all: [mail.subject, visible(mail.html), mail.text] };
}

/** What a reader sees of the HTML part: no tags, no styles, entities as characters. */
function visible(html: string): string {
  const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#34': '"', '#39': "'", nbsp: ' ', zwnj: '', '#847': '' };
  return html
    .replace(/<!--[\s\S]*?-->|<(style|head|title)[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&(#?\w+);/g, (whole, name: string) => entities[name] ?? whole)
    .replace(/\s+/g, ' ');
}

const holes = /\{\{|\}\}|\{%|\[\[|undefined|\bnull\b|NaN|\[object|Hi\s*,|\bHi there there\b/;

test('the preset has the four texts of its sequence', () => {
  expect([...mails.keys()].sort()).toEqual([...names].sort());
});

describe.each(names)('%s', (name) => {
  const states: Record<string, MailGiven> = {
    'an ordinary cart': {},
    'no name': { firstName: null },
    'no picture': { items: [aProduct({ imageUrl: null })] },
    'no variant, no link': { items: [aProduct({ variant: null, productUrl: null })] },
    'no restore link': { restoreUrl: null },
    'no total': { totalMinor: null },
    'thirty products': { items: Array.from({ length: 30 }, (_, i) => aProduct({ title: `Product number ${i + 1}` })) },
    emoji: { firstName: 'Zoë 🌿', items: [aProduct({ title: 'Mug 🐙 „Krake“', variant: '🇩🇪 0,3 l' })] },
    'a currency without decimals': { currency: 'JPY', locale: 'ja-JP', totalMinor: 8_900 },
    'nothing but an address': {
      firstName: null,
      locale: null,
      items: [],
      totalMinor: null,
      restoreUrl: null,
      store: { supportEmail: null, shippingNote: null, returnsNote: null, logoUrl: null },
    },
  };
  test.each(Object.keys(states))('%s leaves neither placeholder nor hole', (state) => {
    const mail = render(name, states[state]);
    for (const part of mail.all) {
      expect(part).not.toMatch(holes);
      expect(part.trim()).not.toBe('');
    }
    expect(mail.subject).not.toMatch(/[\r\n]/);
    // Gmail cuts off what is longer, and the unsubscribe link with it.
    expect(Buffer.byteLength(mail.html)).toBeLessThan(100_000);
  });

  test('both parts lead back to the cart, let the reader out, and say who writes from where', () => {
    const mail = render(name);
    for (const part of [mail.html, mail.text]) {
      expect(part).toContain('https://shop.example.com/cart/restore');
      expect(part).toContain('https://mail.example.com/u/token-1');
    }
    for (const part of [visible(mail.html), mail.text]) expect(part).toContain('12 Orchard Lane');
  });

  test('a product’s title can neither run code, nor mark up, nor write headers', () => {
    const evil = '{{ 7 | times: 7 }}{% raw %}<script>alert(1)</script><img src=x onerror=y>"\'\r\nBcc: x@example.com';
    const mail = render(name, {
      firstName: evil,
      items: [aProduct({ title: evil, variant: evil, imageUrl: 'javascript:alert(1)', productUrl: 'javascript:alert(1)' })],
    });
    expect(mail.html).not.toMatch(/<script|<img src=x|javascript:/);
    expect(mail.html).toContain('{{ 7 | times: 7 }}');
    expect(mail.html).not.toContain('49{%');
    expect(mail.subject).not.toMatch(/[\r\n]/);
  });

  test('nothing is claimed without its fact: no discount, no reviews, no scarcity', () => {
    const mail = render(name, { modifiers: [], reviews: null, items: [aProduct({ stock: null })] });
    for (const part of mail.all) {
      expect(part).not.toMatch(/\d+\s?%|discount|coupon|promo code|% off/i);
      expect(part).not.toMatch(/\bstars?\b|\breviews? say|customers (love|say)|bestsell/i);
      expect(part).not.toMatch(/only \d|just \d|left in stock|selling out|almost gone|hurry|ends (today|tonight|soon)/i);
    }
  });

  test('a low stock is named by its true number, and only then', () => {
    const low = render(name, { modifiers: ['LOW_STOCK'], items: [aProduct({ stock: 3 })] });
    expect(low.text).toMatch(/\b3\b/);
    expect(low.text).not.toBe(render(name, { modifiers: [], items: [aProduct({ stock: 3 })] }).text);
  });

  test('the facts of a random ordinary cart never leave a hole, and random text never becomes markup', () => {
    fc.assert(
      fc.property(
        fc.record({
          firstName: fc.option(fc.string({ unit: 'grapheme', maxLength: 40 }).filter((s) => s.trim() !== '' && !holes.test(s))),
          locale: fc.option(fc.constantFrom('de-DE', 'en-GB', 'ar-EG', 'ja-JP', 'xx-XX', 'nonsense!')),
          currency: fc.constantFrom('EUR', 'USD', 'JPY', 'KWD', 'HUF'),
          totalMinor: fc.option(fc.integer({ min: 0, max: 10_000_000 })),
          items: fc.array(
            fc.record({
              title: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 }),
              quantity: fc.integer({ min: 1, max: 99 }),
              priceMinor: fc.integer({ min: 0, max: 1_000_000 }),
            }),
            { maxLength: 12 },
          ),
        }),
        ({ items, ...given }) => {
          const mail = render(name, { ...given, items: items.map((i) => aProduct(i)) });
          // Product names may contain anything; the text around them must be correct.
          const frame = render(name, { ...given, items: items.map((i) => aProduct({ ...i, title: 'Thing' })) });
          for (const part of frame.all) expect(part).not.toMatch(/\{\{|\}\}|undefined|NaN|\[object/);
          expect(mail.html.match(/<script/g)).toEqual(frame.html.match(/<script/g));
          expect(mail.html.split('<').length).toBe(frame.html.split('<').length);
        },
      ),
      { numRuns: 40 },
    );
  });
});

test.each([
  ['EUR', 'de-DE', 8_900, /89,00\s€/],
  ['USD', 'en-US', 8_900, /\$89\.00/],
  ['JPY', 'ja-JP', 8_900, /[¥￥]8,900/],
  ['KWD', 'en-US', 8_900, /KWD\s8\.900/],
  ['HUF', 'en-US', 890_050, /HUF\s8,900\.50/],
])('an amount in %s is written as its reader writes it, to the last digit', (currency, locale, priceMinor, shown) => {
  expect(render('cart/email_2h', { currency, locale, totalMinor: priceMinor, items: [aProduct({ priceMinor })] }).text).toMatch(shown);
});

test('thirty products show six and say how many more there are', () => {
  const mail = render('cart/email_2h', { items: Array.from({ length: 30 }, (_, i) => aProduct({ title: `Product number ${i + 1}` })) });
  expect(mail.text).toContain('Product number 6');
  expect(mail.text).not.toContain('Product number 7');
  expect(mail.text).toMatch(/24 more/);
});

test('demo emails carry a label that a reader sees', () => {
  expect(visible(render('cart/email_2h', { synthetic: true }).html)).toContain('Synthetic demo message');
  expect(visible(render('cart/email_2h').html)).not.toContain('Synthetic');
});

test('a compiled email survives its way through JSON', () => {
  const compiled = mails.get('cart/email_2h');
  expect(JSON.parse(JSON.stringify(compiled))).toEqual(compiled);
});
