import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { channelContentOf, composeMessage } from '../../content/channels/index.ts';
import { optOutWording } from '../../content/channels/sms/opt-out.ts';
import { countSegments, isGsm7, plainPunctuation } from '../../content/channels/sms/segments.ts';
import type { CopyFacts } from '../../content/copy-facts.ts';
import { subjectKinds } from '../../domain/subjects/index.ts';
import { tenantSettings } from '../../domain/tenant-settings.ts';
import { aMail, aProduct, cartKind, type MailGiven } from './a-mail.ts';

const shortUrl = 'https://r.example.com/s/0123456789abcdefghijkl';
const good =
  '{{ store.name }}: {% if contact.firstName %}Hi {{ contact.firstName }}, your{% else %}Your{% endif %} cart is waiting: {{ cart.url }} {{ optOut }}';

const compile = async (text: string, { isFirst = true, kind = cartKind } = {}) => {
  const sms = channelContentOf('sms');
  if (sms === null) throw new Error('text messages have no content');
  return sms.compile({ file: 'sequences/cart/nudge.sms.liquid', text }, { kind, isFirst, language: null });
};

interface SmsGiven extends MailGiven {
  settings?: Parameters<typeof tenantSettings.parse>[0];
  isFirst?: boolean;
}

function factsOf(given: SmsGiven = {}): CopyFacts {
  const { subjectUrl: _, unsubscribeUrl: __, openPixelUrl: ___, ...common } = aMail(given);
  return {
    ...common,
    contact: { ...common.contact, lastName: null },
    settings: tenantSettings.parse(given.settings ?? {}),
    links: {
      click: () => 'https://r.example.com/c/long',
      short: () => shortUrl,
      open: () => null,
      unsubscribe: () => 'https://r.example.com/u/long',
    },
    isFirst: given.isFirst ?? false,
    sendKey: { enrollmentId: 'e', stepId: 's' },
    nowMs: 0,
  };
}

async function sms(text: string, given: SmsGiven = {}) {
  const stored = { 'cart/nudge.sms': await compile(text) };
  const { payload } = composeMessage(stored, 'cart/nudge', 'sms', factsOf(given), '+12025550123');
  if (payload.channel !== 'sms') throw new Error(payload.channel);
  return payload;
}

describe('how many parts a text is sent as', () => {
  test.each([
    ['nothing', '', 'GSM-7', 1],
    ['160 letters', 'a'.repeat(160), 'GSM-7', 1],
    ['161 letters', 'a'.repeat(161), 'GSM-7', 2],
    ['306 letters', 'a'.repeat(306), 'GSM-7', 2],
    ['307 letters', 'a'.repeat(307), 'GSM-7', 3],
    ['a euro sign counts twice', `${'a'.repeat(158)}€`, 'GSM-7', 1],
    ['a euro sign too many', `${'a'.repeat(159)}€`, 'GSM-7', 2],
    // 153 units end in the middle of the euro sign, which moves to the second part and pushes the last letter into a third.
    ['a euro sign across two parts', `${'a'.repeat(152)}€${'a'.repeat(152)}`, 'GSM-7', 3],
    ['the same, had it not moved', `${'a'.repeat(153)}€${'a'.repeat(151)}`, 'GSM-7', 2],
    ['all of the default alphabet', '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./09:;<=>?¡AZÄÖÑÜ§¿azäöñüà', 'GSM-7', 1],
    ['its extension', '\f^{}\\[~]|€', 'GSM-7', 1],
    ['a letter beyond it', 'ç', 'UCS-2', 1],
    ['70 Cyrillic letters', 'я'.repeat(70), 'UCS-2', 1],
    ['71 Cyrillic letters', 'я'.repeat(71), 'UCS-2', 2],
    ['134 Cyrillic letters', 'я'.repeat(134), 'UCS-2', 2],
    ['135 Cyrillic letters', 'я'.repeat(135), 'UCS-2', 3],
    ['an emoji counts twice', `${'a'.repeat(68)}🛒`, 'UCS-2', 1],
    ['an emoji too many', `${'a'.repeat(69)}🛒`, 'UCS-2', 2],
    ['an emoji across two parts', `${'a'.repeat(66)}🛒${'a'.repeat(66)}`, 'UCS-2', 3],
  ] as const)('%s', (_what, text, encoding, segments) => {
    expect(countSegments(text)).toEqual({ encoding, segments });
  });

  test('more text is never fewer parts, and each part holds at most what it can', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', '€', 'я', '🛒', '\n'), maxLength: 400 });
    fc.assert(
      fc.property(letters, letters, (text, more) => {
        const { segments, encoding } = countSegments(text);
        expect(countSegments(text + more).segments).toBeGreaterThanOrEqual(segments);
        const units = Array.from(text).reduce((sum, c) => sum + (encoding === 'UCS-2' ? c.length : c === '€' ? 2 : 1), 0);
        const most = encoding === 'UCS-2' ? [70, 67] : [160, 153];
        expect(units).toBeLessThanOrEqual(segments === 1 ? (most[0] ?? 0) : segments * (most[1] ?? 0));
        expect(segments).toBeLessThanOrEqual(Math.max(1, Math.ceil(units / ((most[1] ?? 0) - 1))));
      }),
    );
  });

  test('typographic punctuation is spelled in the default alphabet', () => {
    expect(plainPunctuation('“It’s 50 – 60 °… «da»”\u00a0·\u2009×')).toBe('"It\'s 50 - 60 °... "da"" . x');
    expect(Array.from(plainPunctuation('‘’“”„–—…\u00a0\u202f')).every(isGsm7)).toBe(true);
  });
});

describe('a text that may be published', () => {
  test('says who writes, where it leads and how to opt out', async () => {
    await expect(compile(good)).resolves.toEqual({ text: good, language: 'en' });
  });
  test.each([
    ['an unknown variable', 'Hi {{ contact.fistName }}: {{ cart.url }} {{ optOut }}', /nudge\.sms\.liquid:1.*fistName/s],
    ['a tag that does not end', '{% if contact.firstName %}Hi {{ cart.url }} {{ optOut }}', /nudge\.sms\.liquid:1/],
    ['no opt-out hint in the first text', 'Your cart: {{ cart.url }}', /how to opt out.*Reply STOP to opt out/s],
    ['a hint that some readers do not see', 'Your cart: {{ cart.url }} {% if contact.firstName %}{{ optOut }}{% endif %}', /how to opt out/],
    ['no link', 'Your cart is waiting. {{ optOut }}', /leads nowhere/],
    ['a link of its own', 'Your cart: https://shop.example.com/cart {{ optOut }}', /more links than its own short one/],
    ['two links', '{{ cart.url }} {{ cart.url }} {{ optOut }}', /more links/],
    ['an address that is not https', 'See http://shop.example.com {{ cart.url }} {{ optOut }}', /not https/],
    ['too long a text', `${'word '.repeat(90)}{{ cart.url }} {{ optOut }}`, /sent in 4 parts.*at most 3.*segments: 4/s],
    ['letters that make it long', `${'слово '.repeat(30)}{{ cart.url }} {{ optOut }}`, /make each of them shorter/],
    ['a hole', 'Hi {{ contact.firstName }} , {{ cart.url }} {{ optOut }}', /may be missing and leave a gap/],
    ['unknown settings', `---\nsegmnts: 4\n---\n${good}`, /segmnts/],
    ['no text at all', '   ', /empty|leads nowhere/],
  ])('is not one with %s', async (_what, text, message) => {
    await expect(compile(text)).rejects.toThrow(message);
  });
  test('may be longer where its author says so, and a later one needs no hint', async () => {
    await expect(compile(`---\nsegments: 4\n---\n${'word '.repeat(80)}{{ cart.url }} {{ optOut }}`)).resolves.toBeDefined();
    await expect(compile('Your cart: {{ cart.url }}', { isFirst: false })).resolves.toBeDefined();
  });
  test('about a lead speaks of a lead, and of no cart', async () => {
    const kind = subjectKinds.of('lead');
    await expect(
      compile('Thank you for asking{% if lead.interest %} about {{ lead.interest }}{% endif %}: {{ lead.url }} {{ optOut }}', { kind }),
    ).resolves.toBeDefined();
    await expect(compile('Your cart: {{ cart.url }} {{ optOut }}', { kind })).rejects.toThrow(/unknown variable "cart.url"/);
  });
});

describe('a text message', () => {
  test('is complete: address, sender, text, link and parts', async () => {
    expect(await sms(good, { settings: { smsSender: '+12025550100' } })).toEqual({
      channel: 'sms',
      to: '+12025550123',
      from: '+12025550100',
      text: `Juniper & Fold: Hi Robin, your cart is waiting: ${shortUrl} Reply STOP to opt out`,
      shortUrl,
      segments: 1,
    });
  });
  test('has its short link also where the cart has no page of its own', async () => {
    const { text } = await sms('{% if cart.canRestore %}Saved: {% endif %}{{ cart.url }} {{ optOut }}', { restoreUrl: null });
    expect(text).toBe(`${shortUrl} Reply STOP to opt out`);
  });
  test('says how to opt out when it is the first that the person gets, whatever its copy says', async () => {
    const stored = { 'cart/nudge.sms': await compile('Your cart: {{ cart.url }}', { isFirst: false }) };
    const textOf = (isFirst: boolean) => composeMessage(stored, 'cart/nudge', 'sms', factsOf({ isFirst }), '+12025550123').payload;
    expect(textOf(true)).toMatchObject({ text: `Your cart: ${shortUrl} Reply STOP to opt out` });
    expect(textOf(false)).toMatchObject({ text: `Your cart: ${shortUrl}` });
  });
  test('a curly quotation mark in a product’s name does not make it twice as long', async () => {
    const { text, segments } = await sms('{{ cart.leadTitle | default: "Your cart" }}: {{ cart.url }} {{ optOut }}', {
      items: [aProduct({ title: 'Mug “Dawn” – 0.3 l…' })],
    });
    expect(text).toContain('Mug "Dawn" - 0.3 l...');
    expect(segments).toBe(1);
  });
  test('a product’s name can add neither a link nor a line', async () => {
    const { text } = await sms(good, { firstName: 'win-big.example/x', items: [aProduct({ title: 'a\nb' })] });
    expect(text).not.toContain('win-big');
    expect(text.match(/https?:/g)).toHaveLength(1);
  });
  test('letters are spelled in the default alphabet where the store wants it, and only those with a usual spelling', async () => {
    const given = (title: string, smsTransliterate: boolean) =>
      sms('{{ cart.leadTitle | default: "Your cart" }}: {{ cart.url }} {{ optOut }}', {
        items: [aProduct({ title })],
        settings: { smsTransliterate },
      });
    for (const [title, spelled] of [
      ['Façade, Łódź, Şişe, Œuvre, Đà Nẵng', 'Facade, Lodz, Sise, Oeuvre, Dà Nang'],
      ['Щука и Ёлка, Їжак, Љубав', 'Shchuka i Elka, Izhak, Ljubav'],
      ['Größe à la crème, Ñandú €', 'Größe à la crème, Ñandu €'],
      ['Ca\u0327a', 'Caa'],
    ] as const) {
      const message = await given(title, true);
      expect(message.text.split(': https')[0]).toBe(spelled);
      expect(countSegments(message.text).encoding).toBe('GSM-7');
      expect((await given(title, false)).text).toContain(title.slice(0, 2));
    }
    for (const title of ['سبد', '山田', 'Ωμέγα 🛒']) expect((await given(title, true)).text).toContain(title.slice(0, 1));
  });

  test('half of an emoji is left out: it has no encoding', async () => {
    const compiled = { text: 'Hi \ud83d {{ cart.url }}', language: 'en' };
    expect(composeMessage({ 'cart/nudge.sms': compiled }, 'cart/nudge', 'sms', factsOf(), '+12025550123').payload).toMatchObject({
      text: `Hi ${shortUrl}`,
      segments: 1,
    });
  });

  test('demo traffic carries a label', async () => {
    expect((await sms(good, { synthetic: true })).text).toMatch(/^\[Demo\] /);
  });
});

test('the opt-out hint is the tenant’s own where it names a keyword, else in the language of the copy', () => {
  expect(optOutWording(null, 'en-US')).toBe('Reply STOP to opt out');
  expect(optOutWording(null, 'de_AT')).toMatch(/STOP/);
  expect(optOutWording(null, 'xx')).toBe('Reply STOP to opt out');
  expect(optOutWording('Txt STOP to end', 'de')).toBe('Txt STOP to end');
  expect(optOutWording('Txt ARRET', 'fr')).toBe('Txt ARRET');
  // The carrier and the product would not understand what it asks for.
  expect(optOutWording('Write us to end this', 'en')).toBe('Reply STOP to opt out');
  for (const language of ['en', 'de', 'fr', 'es', 'it', 'nl', 'pt']) expect(countSegments(optOutWording(null, language)).encoding).toBe('GSM-7');
});
