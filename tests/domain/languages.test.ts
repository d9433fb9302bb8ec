import { expect, test } from 'vitest';
import { chooseLanguage, isRightToLeft, languageTag } from '../../domain/languages.ts';
import { readCopyName } from '../../domain/sequence/copy-name.ts';

test.each([
  ['the language itself', ['en', 'de'], ['de'], 'de'],
  ['a region falls back to its language', ['en', 'de'], ['de-AT'], 'de'],
  ['as shops write it', ['en', 'de'], ['de_AT.UTF-8'], 'de'],
  ['its own region goes first', ['de', 'de-AT'], ['de-AT'], 'de-AT'],
  ['a language without region goes before another region', ['de-CH', 'de'], ['de-AT'], 'de'],
  ['another region is better than another language', ['en', 'pt-BR'], ['pt-PT'], 'pt-BR'],
  ['another script is another language', ['en', 'zh'], ['zh-TW'], null],
  ['a script that follows from the region', ['zh', 'zh-Hant'], ['zh-TW'], 'zh-Hant'],
  ['two codes of one language', ['nb'], ['no'], 'nb'],
  ['an old code', ['he'], ['iw'], 'he'],
  ['the contact’s goes before the store’s', ['en', 'de', 'fr'], ['fr-CA', 'de'], 'fr'],
  ['the store’s where the contact’s is missing', ['en', 'de'], [null, 'de-DE', 'en'], 'de'],
  ['the store’s where the contact’s has no text', ['en', 'de'], ['ja', 'de', 'en'], 'de'],
  ['English in the end', ['de', 'en'], ['ja', 'ko', 'en'], 'en'],
  ['what is no language is passed over', ['en', 'de'], ['!!', '', 'de'], 'de'],
  ['nothing fits', ['de'], ['ja', 'en'], null],
])('a language is chosen: %s', (_what, available, wanted, chosen) => {
  expect(chooseLanguage(available, wanted)).toBe(chosen);
});

test('tags are written in one way, and scripts that run from the right are known', () => {
  expect(['de_at', 'pt-br', 'FA', 'zh_hant_tw', 'x', '!'].map(languageTag)).toEqual(['de-AT', 'pt-BR', 'fa', 'zh-Hant-TW', null, null]);
  expect(['fa', 'ar-EG', 'he', 'ur', 'ps', 'az-IR', 'en', 'ru', 'nonsense!'].map(isRightToLeft)).toEqual([
    ...[true, true, true, true, true, true],
    ...[false, false, false],
  ]);
});

test.each([
  ['cart/email_2h', { content: 'cart/email_2h', channel: null, language: null }],
  ['cart/email_2h.de', { content: 'cart/email_2h', channel: null, language: 'de' }],
  ['cart/email_2h.pt-BR', { content: 'cart/email_2h', channel: null, language: 'pt-BR' }],
  // `sms` is also the code of Skolt Sami: the channel goes first.
  ['cart/email_2h.sms', { content: 'cart/email_2h', channel: 'sms', language: null }],
  ['cart/email_2h.sms.fa', { content: 'cart/email_2h', channel: 'sms', language: 'fa' }],
  ['cart/email_2h.sms.fa.de', null],
  ['cart/email_2h.backup', null],
])('the name %s is read', (name, read) => {
  expect(readCopyName(name)).toEqual(read);
});
