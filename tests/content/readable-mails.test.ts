import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { textColorOn } from '../../content/channels/email/brand-color.ts';
import { compileEmail } from '../../content/channels/email/compile.ts';
import { loadPresetCopy } from '../../content/preset-copy.ts';
import { readCopyName } from '../../domain/sequence/copy-name.ts';
import { renderEmail } from '../../content/channels/email/render.ts';
import type { CompiledEmail } from '../../content/channels/email/compiled.ts';
import { contrast, drawnTexts } from '../helpers/mail-contrast.ts';
import { aMail, aProduct, type MailGiven, cartKind } from './a-mail.ts';

const names = ['cart/email_2h', 'cart/email_24h', 'cart/email_48h', 'cart/email_72h'];
const mails = new Map<string, CompiledEmail>();
beforeAll(async () => {
  const copy = await loadPresetCopy(fileURLToPath(new URL('../../sequences/cart', import.meta.url)));
  for (const [name, source] of Object.entries(copy)) if (readCopyName(name)?.channel === null) mails.set(name, await compileEmail(source, cartKind));
});

const everything: MailGiven = {
  synthetic: true,
  modifiers: ['LOW_STOCK'],
  openPixelUrl: 'https://mail.example.com/o/1.gif',
  store: { logoUrl: 'https://shop.example.com/logo.png' },
  reviews: { productTitle: 'Blanket', averageOfFive: 4.7, count: 12, quote: { text: 'Warm.', author: 'Sam' } },
  items: [
    aProduct({ stock: 2, compareAtMinor: 12_000, quantity: 2 }),
    aProduct({ title: '', imageUrl: null, productUrl: null, priceMinor: null }),
    ...Array.from({ length: 6 }, (_, i) => aProduct({ title: `Product ${i}` })),
  ],
};

function htmlOf(name: string, given: MailGiven = everything): string {
  const compiled = mails.get(name);
  if (compiled === undefined) throw new Error(`no copy ${name}`);
  return renderEmail(compiled, aMail(given)).html;
}

describe.each(names)('%s', (name) => {
  test.each(['light', 'dark'] as const)('every text has a contrast of 4.5 in %s mode, the footer too', (mode) => {
    for (const store of [{}, everything.store]) {
      const drawn = drawnTexts(htmlOf(name, { ...everything, store: { ...store } }), mode);
      expect(drawn.map(({ text }) => text)).toEqual(expect.arrayContaining(['Juniper   Fold', 'Unsubscribe', 'Total']));
      const faint = drawn.filter(({ color, background }) => contrast(color, background) < 4.5);
      expect(faint).toEqual([]);
    }
  });

  test('in dark mode all surfaces are dark: nothing light surrounds the card', () => {
    const brand = '#2f5d50';
    const surfaces = new Set(drawnTexts(htmlOf(name), 'dark').map(({ background }) => background));
    for (const surface of surfaces) if (surface !== brand) expect(contrast(surface, '#000000')).toBeLessThan(2);
    // Page and card have different backgrounds, so both were checked.
    expect(surfaces.size).toBeGreaterThanOrEqual(3);
  });

  test('every link says where it leads, pictures included', () => {
    const links = [...htmlOf(name).matchAll(/<a\b([^>]*)>([\s\S]*?)<\/a>/g)];
    expect(links.length).toBeGreaterThan(5);
    for (const [link, attributes = '', content = ''] of links) {
      const spoken = content.replace(/<div aria-hidden="true"[\s\S]*?<\/div>|<[^>]*>/g, '').trim();
      const label = /\saria-label="([^"]*)"/.exec(attributes)?.[1]?.trim() ?? spoken;
      expect(label, link).not.toBe('');
    }
  });

  test('a picture whose address is dead leaves the product’s letter, not a broken image', () => {
    const html = htmlOf(name);
    for (const [image] of html.matchAll(/<img\b[^>]*>/g)) {
      expect(image).toMatch(/\salt=""/);
      // With both measures, browsers draw the frame of an image that is missing; with one, and no alternative text, nothing.
      const given = ['width', 'height'].filter((measure) => new RegExp(`\\s${measure}="|[";]${measure}:`).test(image));
      if (!image.includes('width="1"')) expect(given, image).toHaveLength(1);
    }
    expect(html).toMatch(/aria-hidden="true" style="height:0;max-height:0;overflow:visible">L<\/div>/);
  });

  test('nothing is hidden by its colour or its size, which is what spam filters look for', () => {
    const html = htmlOf(name);
    const preheader = /<div style="([^"]*)">[^<]*&zwnj;/.exec(html)?.[1] ?? 'none';
    expect(preheader).toContain('display:none');
    expect(preheader).not.toMatch(/color|font-size|opacity/);
    expect(html.slice(html.indexOf('<body'))).not.toMatch(/font-size:\s*[12]px|opacity:\s*0/);
  });
});

test('the shop’s name stands in the email as text, also beside a logo', () => {
  for (const logoUrl of [null, 'https://shop.example.com/logo.png'])
    expect(htmlOf('cart/email_2h', { store: { logoUrl } })).toMatch(/>Juniper &amp; Fold<\/(span|div)>/);
});

test('the button can be read on every colour of a brand', () => {
  const channel = fc.integer({ min: 0, max: 255 });
  fc.assert(
    fc.property(channel, channel, channel, (...channels) => {
      const color = `#${channels.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
      expect(contrast(textColorOn(color), color)).toBeGreaterThanOrEqual(4.5);
    }),
    {
      numRuns: 2_000,
      examples: [
        [117, 117, 117],
        [119, 119, 119],
        [128, 128, 128],
      ],
    },
  );
});
