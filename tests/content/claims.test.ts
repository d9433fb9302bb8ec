import { describe, expect, test } from 'vitest';
import { claimsIn } from '../../content/channels/index.ts';
import { compileEmail } from '../../content/channels/email/compile.ts';
import { renderEmail } from '../../content/channels/email/render.ts';
import { compileSms } from '../../content/channels/sms/compile.ts';
import { renderSms } from '../../content/channels/sms/render.ts';
import { claimNames, type Claims, noClaims } from '../../domain/claims/index.ts';
import { subjectKinds } from '../../domain/subjects/index.ts';
import { samplesOf } from '../../content/samples.ts';
import { aMail, cartKind } from './a-mail.ts';

const everything = samplesOf(cartKind)[0]?.facts.claims ?? noClaims;
/** Only these hold. */
const only = (...names: (keyof Claims)[]): Claims => ({ ...noClaims, ...Object.fromEntries(names.map((name) => [name, everything[name]])) });

const copy = (body: string, subject = 'Your cart') => ({
  file: 'sequences/cart/own.liquid',
  text: `---\nsubject: "${subject}"\npreheader: It waits\nheading: Your cart\ncta: Back to it\n---\n${body}\n\n[cart]\n\nBye.\n`,
});
async function mail(body: string, claims: Claims) {
  const rendered = renderEmail(await compileEmail(copy(body), cartKind), {
    ...aMail(),
    contact: { firstName: 'Robin', locale: 'en-US', timeZone: 'Europe/Vienna' },
    claims,
  });
  const [, opening = ''] = /Your cart<\/h1>([\s\S]*?)Lambswool/.exec(rendered.html) ?? [];
  const [, text = ''] = /\nYour cart\n([\s\S]*?)- (?:1 × )?Lambswool/.exec(rendered.text) ?? [];
  return { html: opening.replace(/<!--[\s\S]*?-->/g, ''), text: text.trim(), whole: rendered };
}

describe('a claim in an email', () => {
  test('is printed where it holds, and leaves nothing behind where it does not', async () => {
    const body = 'Hello.\n\n{% claim stock %}Only {{ lowStock.left }} left of {{ lowStock.title }}.{% endclaim %}\n\nIt waits for you.';
    expect((await mail(body, everything)).text).toBe('Hello.\n\nOnly 3 left of Merino Crew Sweater.\n\nIt waits for you.');
    const without = await mail(body, noClaims);
    expect(without.text).toBe('Hello.\n\nIt waits for you.');
    expect(without.html.match(/<p\b/g)).toHaveLength(2);
    expect(without.html).not.toMatch(/<(p|h2|blockquote)\b[^>]*>\s*<\/\1>/);
  });

  test('takes the heading along that stands over it alone', async () => {
    const body = '## Stock\n\n{% claim stock %}\nOnly {{ lowStock.left }} left.\n\nHurry.\n{% endclaim %}\n\n## Delivery\n\nTomorrow.';
    expect((await mail(body, everything)).text).toBe('Stock\n\nOnly 3 left.\n\nHurry.\n\nDelivery\n\nTomorrow.');
    const without = await mail(body, noClaims);
    expect(without.text).toBe('Delivery\n\nTomorrow.');
    expect(without.html.match(/<h2\b/g)).toHaveLength(1);
    // Something else stands under it: it stays.
    expect((await mail('## Stock\n\n{% claim stock %}Only {{ lowStock.left }} left.{% endclaim %}\n\nAsk us.', noClaims)).text).toBe(
      'Stock\n\nAsk us.',
    );
    expect((await mail('## Stock\n\n{% claim stock %}\nFew.\n{% else %}\nPlenty.\n{% endclaim %}', noClaims)).text).toBe('Stock\n\nPlenty.');
  });

  test('may stand in another, and have an else', async () => {
    const body = '{% claim stock %}\n{% claim reviews %}\nLoved and scarce.\n{% endclaim %}\nScarce.\n{% else %}\nThere.\n{% endclaim %}';
    const said = async (claims: Claims) => (await mail(body, claims)).text;
    expect([await said(only('stock', 'reviews')), await said(only('stock')), await said(only('reviews'))]).toEqual([
      'Loved and scarce.\n\nScarce.',
      'Scarce.',
      'There.',
    ]);
  });

  test('prints prices, dates and ends as the reader writes them', async () => {
    const body =
      '{% claim price_drop %}{{ priceDrop.title }}: {{ priceDrop.before }}, now {{ priceDrop.now }}.{% endclaim %}\n\n{% claim market %}{{ market.area }}, {{ market.date }}: {{ market.statement }}{% endclaim %}\n\n{% claim offer_end %}{{ offerEnd.name }} until {{ offerEnd.date }}, {{ offerEnd.time }}.{% endclaim %}';
    expect((await mail(body, everything)).text.split('\n\n')).toEqual([
      'Merino Crew Sweater: $89.00, now $79.00.',
      'Upper Springfield, November 2, 2026: Three flats in Upper Springfield were sold in October.',
      'Free delivery until December 1, 2026, 12:00 AM GMT+1.',
    ]);
  });

  test('that nobody knows is refused with line and suggestion', async () => {
    for (const [name, says] of [
      ['stok', 'did you mean "stock"?'],
      ['Reviews', 'did you mean "reviews"?'],
      ['weather', 'write one of stock, price_drop'],
      ['', 'write one of'],
    ] as const) {
      const error: unknown = await compileEmail(copy(`Hello.\n\n{% claim ${name} %}x{% endclaim %}`), cartKind).catch((e: unknown) => e);
      expect(String(error)).toMatch(/own\.liquid:9: unknown claim/);
      expect(String(error)).toContain(says);
    }
    await expect(compileEmail(copy('{% claim stock %}x'), cartKind)).rejects.toThrow(/not closed/);
    await expect(compileEmail(copy('{% claim stock %}{{ lowStock.lft }}{% endclaim %}'), cartKind)).rejects.toThrow(
      /own\.liquid:7: unknown variable "lowStock\.lft"/,
    );
  });
});

test('a claim in a text message leaves no gap', () => {
  const compiled = compileSms(
    { file: 'x.sms.liquid', text: 'Hi. {% claim stock %}Only {{ lowStock.left }} left. {% endclaim %}{{ cart.url }} {{ optOut }}' },
    { kind: subjectKinds.of('cart'), isFirst: true, language: null },
  );
  const text = (claims: Claims) => renderSms(compiled, { ...aMail(), claims, shortUrl: 'https://r.example.com/s/1', optOut: null, isFirst: false });
  expect(text(everything)).toBe('Hi. Only 3 left. https://r.example.com/s/1 Reply STOP to opt out');
  expect(text(noClaims)).toBe('Hi. https://r.example.com/s/1 Reply STOP to opt out');
});

test('what the texts of a step claim is known on every channel, in every language, and in texts from before there were claims', () => {
  const stored = {
    'cart/a': { subject: 'x', html: 'Only a few reviews <p>{% claim stock %}', text: '' },
    'cart/a.de': { subject: '', html: '{%- claim offer_end -%}', text: '' },
    'cart/a.sms': { text: '{% if reviews %}{{ reviews.average }}{% endif %}', language: 'en' },
    'cart/ab': { text: '{% claim market %}' },
    'cart/old': { subject: '', html: '{% if lowStock %}{{ lowStock.left }}{% endif %}', text: '' },
  };
  expect(claimsIn(stored, 'cart/a')).toEqual(['stock', 'reviews', 'offer_end']);
  expect(claimsIn(stored, 'cart/old')).toEqual(['stock']);
  expect(claimsIn(stored, 'cart/none')).toEqual([]);
  expect(claimsIn(stored, null)).toEqual([]);
  expect(claimNames).toHaveLength(5);
});
