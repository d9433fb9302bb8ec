import { describe, expect, test } from 'vitest';
import { channelContentOf, composeMessage, previewMessage, whatsappForms } from '../../content/channels/index.ts';
import type { CopyFacts } from '../../content/copy-facts.ts';
import { tenantSettings } from '../../domain/tenant-settings.ts';
import { aMail, cartKind, type MailGiven } from './a-mail.ts';

const shortUrl = 'https://r.example.com/s/0123456789abcdefghijkl';
const template = (parameters: string) => `---\ntemplate:\n  name: cart_reminder\n  language: en_US\n  parameters: ${parameters}\n---\n`;
const greeting = `{{ firstName | default: 'there' }}`;
const both = `${template(`["${greeting}", "{{ link.url }}"]`)}Hi ${greeting},\nyour cart is waiting: {{ link.url }}\n`;

const compile = async (text: string) => {
  const whatsapp = channelContentOf('whatsapp');
  if (whatsapp === null) throw new Error('WhatsApp has no content');
  return whatsapp.compile({ file: 'sequences/cart/nudge.whatsapp.liquid', text }, { kind: cartKind, isFirst: true, language: null });
};

function factsOf(given: MailGiven, inServiceWindow: boolean): CopyFacts {
  const { subjectUrl: _, unsubscribeUrl: __, openPixelUrl: ___, ...common } = aMail(given);
  return {
    ...common,
    contact: { ...common.contact, lastName: null },
    settings: tenantSettings.parse({}),
    links: { click: () => 'https://r.example.com/c/long', short: () => shortUrl, open: () => null, unsubscribe: () => 'https://r.example.com/u' },
    isFirst: true,
    inServiceWindow,
    sendKey: { enrollmentId: 'e', stepId: 's' },
    nowMs: 0,
  };
}

async function message(text: string, inServiceWindow: boolean, given: MailGiven = {}) {
  const stored = { 'cart/nudge.whatsapp': await compile(text) };
  const { payload } = composeMessage(stored, 'cart/nudge', 'whatsapp', factsOf(given, inServiceWindow), '+12025550123');
  return payload.channel === 'whatsapp' ? payload.message : payload.channel;
}

describe('a text for WhatsApp', () => {
  test('is free text inside the window and its template outside', async () => {
    expect(await message(both, true)).toEqual({ form: 'text', text: `Hi Robin,\nyour cart is waiting: ${shortUrl}` });
    expect(await message(both, false)).toEqual({ form: 'template', name: 'cart_reminder', language: 'en_US', parameters: ['Robin', shortUrl] });
  });

  test('that has one form is sent in it', async () => {
    expect(await message(template(`["${greeting}"]`), true)).toMatchObject({ form: 'template', parameters: ['Robin'] });
    expect(await message('Shall we keep it for you?', true)).toEqual({ form: 'text', text: 'Shall we keep it for you?' });
  });

  test('has parameters of one line each, whatever stands in a title', async () => {
    const text = template(`["{{ store.name }}"]`);
    const { store } = aMail({});
    expect(await message(text, false, { store: { ...store, name: 'Tea\n\t& Tin' } })).toMatchObject({ parameters: ['Tea & Tin'] });
  });

  test('of demo traffic says so in either form', async () => {
    expect(await message(both, true, { synthetic: true })).toMatchObject({ text: expect.stringMatching(/^\[.+\] Hi Robin/) });
    expect(await message(both, false, { synthetic: true })).toMatchObject({ parameters: [expect.stringMatching(/^\[.+\] Robin$/), shortUrl] });
  });

  test('says which forms it has, in the language of the person', async () => {
    const stored = { 'cart/nudge.whatsapp': await compile(both), 'cart/nudge.whatsapp.de': await compile('---\nlanguage: de\n---\nNoch da?') };
    expect(whatsappForms(stored, 'cart/nudge', ['en', null])).toEqual(['text', 'template']);
    expect(whatsappForms(stored, 'cart/nudge', ['de-AT', 'en'])).toEqual(['text']);
    expect(whatsappForms(stored, 'cart/other', ['en'])).toEqual([]);
  });

  test('is previewed as its template, with the values of its parameters', async () => {
    const stored = { 'cart/nudge.whatsapp': await compile(both) };
    expect(previewMessage(stored, 'cart/nudge', 'whatsapp', factsOf({}, false)).text).toBe(
      `Template cart_reminder (en_US)\n{{1}}: Robin\n{{2}}: ${shortUrl}`,
    );
  });

  test.each([
    ['nothing at all', '\n', 'the file says nothing'],
    ['a name that no template has', '---\ntemplate: { name: Cart Reminder, language: en }\n---\n', 'is no name of a template'],
    ['a misspelt variable in a parameter', template('["{{ frstName }}"]'), 'nudge.whatsapp.liquid:5: unknown variable'],
    ['a parameter that may be empty', template(`["{% if firstName %}{{ firstName }}{% endif %}"]`), 'parameter 1 is empty'],
    ['another link than its own', 'See https://shop.example.com/sale', 'link.url'],
    ['a text that is too long', 'tea '.repeat(1_100), 'at most 4096 are allowed'],
  ])('is refused with %s', async (_what, text, message_) => {
    await expect(compile(text)).rejects.toThrow(message_);
  });
});
