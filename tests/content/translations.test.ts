import { describe, expect, test } from 'vitest';
import { composeMessage } from '../../content/channels/index.ts';
import type { CopyFacts } from '../../content/copy-facts.ts';
import { lintTranslations } from '../../domain/lint/translations.ts';
import { tenantSettings } from '../../domain/tenant-settings.ts';
import { compilePreset } from '../../operations/publish-sequence.ts';
import { aMail, type MailGiven } from './a-mail.ts';

const yaml = `
sequence: cart
name: Two texts
on: cart.abandoned
steps:
  - { id: one, at: 2h, channel: [sms, email], content: cart/one }
  - { id: two, at: 1d, channel: email, content: cart/two }
`;
const email = (heading: string, more = '') => `---\nsubject: ${heading}\npreheader: p\nheading: ${heading}\ncta: c\n${more}---\nb\n\n[cart]\n`;
const text = (words: string) => `${words} {{ link.url }} {{ optOut }}`;
const english = { 'cart/one': email('One'), 'cart/one.sms': text('One'), 'cart/two': email('Two') };
const german = { 'cart/one.de': email('Eins'), 'cart/one.sms.de': text('Eins'), 'cart/two.de': email('Zwei') };

const compiled = new Map<string, Promise<Record<string, unknown>>>();

/** Compiled once for all tests of this file. */
function compile(copy: Record<string, string>, inUse: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
  const key = JSON.stringify([copy, Object.keys(inUse)]);
  const known = compiled.get(key) ?? compileCopy(copy, inUse);
  compiled.set(key, known);
  return known;
}

async function compileCopy(copy: Record<string, string>, inUse: Record<string, unknown>): Promise<Record<string, unknown>> {
  const texts = Object.entries(copy).map(([name, words]) => [name, { file: `sequences/${name}.liquid`, text: words }]);
  return (await compilePreset({ file: 'sequences/cart.yaml', yaml, copy: Object.fromEntries(texts) }, undefined, inUse)).content;
}

function factsOf(given: MailGiven): CopyFacts {
  const { subjectUrl: _, unsubscribeUrl: __, openPixelUrl: ___, ...common } = aMail(given);
  const url = () => 'https://r.example.com/s/0123456789abcdefghijkl';
  return {
    ...common,
    contact: { ...common.contact, lastName: null },
    settings: tenantSettings.parse({}),
    links: { click: url, short: url, open: () => null, unsubscribe: url },
    isFirst: true,
    sendKey: { enrollmentId: 'e', stepId: 's' },
    nowMs: 0,
  };
}

describe('a sequence with translations', () => {
  test.each([
    ['de-AT', null, 'de', 'Eins'],
    [null, 'de-DE', 'de', 'Eins'],
    ['ja', 'de', 'de', 'Eins'],
    ['en-GB', 'de', 'en', 'One'],
    [null, null, 'en', 'One'],
    ['!!', 'ja', 'en', 'One'],
  ])('a contact in %s of a store in %s is written to in %s', async (contact, store, language, heading) => {
    const stored = await compile({ ...english, ...german });
    const facts = factsOf({ locale: contact, store: { locale: store } });
    expect(composeMessage(stored, 'cart/one', 'email', facts, 'a@b.example')).toMatchObject({ language, payload: { subject: heading } });
    const sms = composeMessage(stored, 'cart/one', 'sms', facts, '+12025550123');
    expect(sms).toMatchObject({ language, payload: { text: expect.stringContaining(`${heading} https://`) } });
  });

  test('everything around the copy is in its language too', async () => {
    const stored = await compile({ ...english, ...german });
    const { payload } = composeMessage(stored, 'cart/one', 'email', factsOf({ locale: 'de', synthetic: true }), 'a@b.example');
    if (payload.channel !== 'email') throw new Error(payload.channel);
    for (const part of [payload.html, payload.text]) {
      expect(part).toMatch(/Abmelden/);
      expect(part).toMatch(/weil Sie bei Juniper (&|&amp;) Fold etwas im Warenkorb gelassen haben\./);
      expect(part).not.toMatch(/Unsubscribe|You are getting|Total|Synthetic/);
    }
    expect(payload.html).toContain('lang="de"');
    const sms = composeMessage(stored, 'cart/one', 'sms', factsOf({ locale: 'de' }), '+12025550123');
    expect(sms.payload).toMatchObject({ text: expect.stringContaining('Abmelden: Antwort STOP') });
  });

  test('a text that is missing in a language is named with its file and remedy', async () => {
    const { 'cart/two.de': _, ...some } = german;
    await expect(compile({ ...english, ...some })).rejects.toThrow(
      /sequences\/cart\/two\.de\.liquid: is missing: "cart\/one.*German.*Translate sequences\/cart\/two\.liquid/,
    );
    await expect(compile({ ...english, 'cart/one.sms.de': text('Eins') })).rejects.toThrow(
      /cart\/one\.de\.liquid: is missing[\s\S]*cart\/two\.de\.liquid: is missing/,
    );
  });

  test('the language of the original counts as one of its languages', async () => {
    const original = Object.fromEntries(
      Object.entries(english).map(([name, words]) => [
        name,
        name.endsWith('sms') ? `---\nlanguage: fr\n---\n${words}` : words.replace('cta: c\n', 'cta: c\nlanguage: fr\n'),
      ]),
    );
    expect(Object.keys(await compile({ ...original, ...german }))).toHaveLength(6);
    await expect(compile({ ...original, ...german, 'cart/two': english['cart/two'] })).rejects.toThrow(/French|English/);
  });

  test('a name that is no language, and one that the text contradicts, are refused', async () => {
    await expect(compile({ ...english, 'cart/one.xx': email('Ask') })).rejects.toThrow(/one\.xx\.liquid: names the language "xx"/);
    await expect(compile({ ...english, ...german, 'cart/two.de': email('Zwei', 'language: fr\n') })).rejects.toThrow(
      /two\.de\.liquid:6.*contradicts/,
    );
    await expect(compile({ ...english, 'cart/two': email('Two', 'language: klingonese!\n') })).rejects.toThrow(/two\.liquid:6.*"klingonese!"/);
  });

  test('a draft keeps the translations in use of what it does not change', async () => {
    const inUse = await compile({ ...english, ...german });
    const namesOf = async (copy: Record<string, string>) => Object.keys(await compile(copy, inUse)).toSorted();
    const all = Object.keys(inUse).toSorted();
    expect(await namesOf({})).toEqual(all);
    expect(await namesOf(english)).toEqual(all);
    expect(await namesOf({ 'cart/two': email('Changed'), 'cart/two.de': email('Anders') })).toEqual(all);
    // What was translated from another text is no translation of this one.
    await expect(compile({ 'cart/two': email('Changed') }, inUse)).rejects.toThrow(/cart\/two\.de\.liquid: is missing/);
    expect(await namesOf({ 'cart/one': email('A'), 'cart/one.sms': text('A'), 'cart/two': email('B') })).toEqual(Object.keys(english).toSorted());
  });

  test('an empty text takes a translation away', async () => {
    const inUse = await compile({ ...english, ...german });
    const none = Object.fromEntries(Object.keys(german).map((name) => [name, '']));
    expect(Object.keys(await compile(none, inUse)).toSorted()).toEqual(Object.keys(english).toSorted());
    await expect(compile({ 'cart/two.de': '' }, inUse)).rejects.toThrow(/cart\/two\.de\.liquid: is missing/);
  });

  test('rekindle lint says the same of files', () => {
    const { 'cart/two.de': _, ...some } = german;
    const problemsOf = (texts: Record<string, string>) => lintTranslations(yaml, texts, (name) => `${name}.liquid`);
    expect(problemsOf({ ...english, ...german })).toEqual([]);
    expect(problemsOf({ ...english, 'cart/unused.fr': 'of no step' })).toEqual([]);
    expect(problemsOf({ ...english, ...some })).toMatchObject([{ file: 'cart/two.de.liquid', message: expect.stringContaining('German') }]);
    expect(problemsOf({ ...english, 'cart/one.xx': '' })).toContainEqual(expect.objectContaining({ file: 'cart/one.xx.liquid' }));
  });

  test('a version from before languages were stored is English', async () => {
    const stored = await compile(english);
    const old = { 'cart/two': { ...(stored['cart/two'] as object), language: undefined } };
    expect(composeMessage(old, 'cart/two', 'email', factsOf({ locale: 'de' }), 'a@b.example')).toMatchObject({ language: 'en' });
  });
});
