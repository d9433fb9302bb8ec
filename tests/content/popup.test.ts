import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { compilePopup } from '../../content/channels/onsite/compile.ts';
import { renderPopup } from '../../content/channels/onsite/render.ts';
import { samplesOf } from '../../content/samples.ts';
import { cartKind } from './a-mail.ts';

const purpose = { kind: cartKind, isFirst: true, language: null };
const file = 'popup_1h.onsite.liquid';
let preset = '';
beforeAll(async () => {
  preset = await readFile(new URL('../../sequences/cart/popup_1h.onsite.liquid', import.meta.url), 'utf8');
});
const compiled = (text: string) => compilePopup({ file, text }, purpose);
const copy = (fields: string, text: string) => `---\nheading: Hello\ncta: Go on\nclose: Later\n${fields}---\n${text}\n`;

test('the preset reads well with every sample, promises nothing and names nobody', () => {
  for (const { name, facts } of samplesOf(cartKind)) {
    const popup = renderPopup(compiled(preset), { ...facts, clickUrl: 'https://mail.example.com/c/1' });
    const said = `${popup.heading} ${popup.text} ${popup.cta} ${popup.close}`;
    expect(said, name).not.toMatch(/discount|% off|code|hurry|last chance|only \d|Robin|Ольга|Maximilian|  |undefined/i);
    expect(popup.label, name).toBe(facts.synthetic ? 'Demo' : null);
  }
});

test.each(['de', 'fr', 'es', 'ru', 'fa', 'ar'])('the preset in %s fits and names nobody', async (language) => {
  const text = await readFile(new URL(`../../sequences/cart/popup_1h.onsite.${language}.liquid`, import.meta.url), 'utf8');
  const translated = compilePopup({ file, text }, { ...purpose, language });
  for (const { name, facts } of samplesOf(cartKind)) {
    const popup = renderPopup(translated, { ...facts, clickUrl: 'https://mail.example.com/c/1' });
    expect(popup.direction, name).toBe(language === 'fa' || language === 'ar' ? 'rtl' : 'ltr');
    expect(`${popup.heading} ${popup.text} ${popup.cta} ${popup.close}`, name).not.toMatch(/Robin|Ольга|Maximilian|undefined|\{/);
  }
});

describe('what does not fit is refused when it is published, with its line', () => {
  test.each([
    [
      'a heading of 81 characters',
      copy('', 'Hello.').replace('heading: Hello', `heading: ${'a'.repeat(81)}`),
      /:2: the pop-up’s heading has 81 characters, at most 80/,
    ],
    ['a text of 281', copy('', 'a'.repeat(281)), /:6: the pop-up’s text has 281 characters, at most 280/],
    ['an address in it', copy('', 'See https://shop.example.com'), /has an address in it: its one link is the button/],
    ['an unknown variable', copy('', '{{ cart.colour }}'), /:6: unknown variable "cart.colour"/],
    ['an unknown field', copy('subject: x\n', 'Hello.'), /:5: unknown field "subject"/],
    ['nothing in it', copy('', ''), /the pop-up’s text is empty/],
    ['no front matter', 'Hello.', /:1: must start with front matter/],
  ])('%s', (_what, text, message) => {
    expect(() => compiled(text)).toThrow(message);
  });

  test('an emoji family is one character', () => {
    expect(() => compiled(copy('', '👨‍👩‍👧‍👦'.repeat(280)))).not.toThrow();
  });
});

test('a right-to-left language sets the direction', () => {
  const [sample] = samplesOf(cartKind);
  const { direction } = renderPopup(compiled(copy('language: fa\n', 'سلام')), {
    ...(sample ?? never()).facts,
    clickUrl: 'https://mail.example.com/c/1',
  });
  expect(direction).toBe('rtl');
});

function never(): never {
  throw new Error('there are samples');
}
