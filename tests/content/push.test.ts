import { describe, expect, test } from 'vitest';
import { compilePush } from '../../content/channels/push/compile.ts';
import { renderPush } from '../../content/channels/push/render.ts';
import { samplesOf } from '../../content/samples.ts';
import { samplePushAddress } from '../../domain/people/push-subscription.ts';
import { cartKind } from './a-mail.ts';

const purpose = { kind: cartKind, isFirst: true, language: null };
const file = 'nudge.push.liquid';
const compiled = (text: string, language: string | null = null) => compilePush({ file, text }, { ...purpose, language });
const copy = (text: string, title = 'Still in your basket') => `---\ntitle: ${title}\n---\n${text}\n`;
const bySample = '{% if firstName %}{{ firstName }}, your{% else %}Your{% endif %} basket is saved.';
const toCart = `${samplePushAddress} 00000000-0000-4000-8000-000000000000`;

test('a notification says the same to every sample without a hole, and leads to its own link', () => {
  const push = compiled(copy(bySample));
  for (const { name, facts } of samplesOf(cartKind)) {
    const made = renderPush(push, { ...facts, shortUrl: 'https://r.example/s/1' }, samplePushAddress);
    expect(made, name).toMatchObject({ channel: 'push', to: samplePushAddress, url: 'https://r.example/s/1', direction: 'ltr' });
    expect(`${made.title} ${made.text}`, name).toMatch(/Still in your basket (\S.*, your|Your) basket is saved\.$/);
  }
});

test('a browser that only holds the cart is told nobody’s name', () => {
  for (const { name, facts } of samplesOf(cartKind))
    expect(renderPush(compiled(copy(bySample)), { ...facts, shortUrl: 'https://r.example/s/1' }, toCart).text, name).toBe('Your basket is saved.');
});

test('a translation is read from the right where its language is', () => {
  const [sample] = samplesOf(cartKind);
  if (sample === undefined) throw new Error('no samples');
  const made = renderPush(compiled(copy('سبد شما آماده است.', 'هنوز اینجاست'), 'fa'), { ...sample.facts, shortUrl: 'https://r.example/s/1' }, toCart);
  expect(made).toMatchObject({ language: 'fa', direction: 'rtl' });
});

describe('what does not fit is refused when it is published, with its line', () => {
  test.each([
    ['no front matter', 'Hello.', /:1: must start with front matter/],
    ['no title', '---\nlanguage: en\n---\nHello.', /:2: title: /],
    ['a field that it does not know', '---\ntitle: Hello\nicon: x\n---\nHello.', /:3: unknown field "icon"/],
    ['a title of 51 characters', copy('Hello.', 'a'.repeat(51)), /:2: the notification’s title has 51 characters, at most 50 are allowed/],
    ['a text of 151 characters', copy('a'.repeat(151)), /:4: the notification’s text has 151 characters, at most 150 are allowed/],
    ['nothing to say', copy('{% if false %}x{% endif %}'), /:4: the notification’s text is empty/],
    ['a link', copy('See {{ link.url }}'), /:4: the notification’s text has an address in it/],
    ['a name without a way around it', copy('Hi {{ firstName }}.'), /:4: \{\{ firstName \}\} may be missing/],
    ['an unknown variable', copy('Hi {{ first_nam }}.'), /:4: unknown variable "first_nam"/],
  ])('%s', (_what, text, message) => {
    expect(() => compiled(text)).toThrow(message);
  });
});
