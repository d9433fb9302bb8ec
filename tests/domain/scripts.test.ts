import { expect, test } from 'vitest';
import { textsOfStep } from '../../content/step-texts.ts';
import type { Channel } from '../../domain/channels/index.ts';
import { chooseScript } from '../../domain/scripts/choose-script.ts';
import { parseSequence } from '../../domain/sequence/parse-sequence.ts';

const script = (name: string, more: Partial<{ channel: Channel; about: string; campaignId: string; isDefault: boolean }> = {}) => ({
  ...{ name, channel: 'sms' as const, about: 'lead', campaignId: null, isDefault: false },
  ...more,
});
const all = [
  script('usual', { isDefault: true }),
  script('ours', { campaignId: 'spring' }),
  script('named'),
  script('of-carts', { about: 'cart', isDefault: true }),
];

test.each([
  ['the named one before the campaign’s', { script: 'named' }, 'spring', 'named'],
  ['the campaign’s own before the default', {}, 'spring', 'ours'],
  ['the default where the campaign has none', {}, 'autumn', 'usual'],
  ['the default without a campaign', { script: 'chosen' }, null, 'usual'],
  ['none where the step keeps its own', { script: 'own' }, 'spring', null],
  ['what there is where the named one is gone', { script: 'gone' }, 'autumn', 'usual'],
  ['none where texts are compared', { variants: [{ id: 'a', content: 'x/a', weight: 1 }] }, 'spring', null],
  ['none where it brings an offer', { offer: { without: 'send' as const } }, 'spring', null],
])('a step takes %s', (_, step, campaignId, name) => {
  expect(chooseScript(step, 'sms', { about: 'lead', campaignId }, all)?.name ?? null).toBe(name);
});

test('a script is for its channel and for what it is about', () => {
  expect(chooseScript({}, 'email', { about: 'lead', campaignId: null }, all)).toBeNull();
  expect(chooseScript({}, 'sms', { about: 'cart', campaignId: 'spring' }, all)?.name).toBe('of-carts');
});

test('the texts of a step are those of its script on its channel, and its own on the others, with their translations', () => {
  const version = { 'x/hello': 'email', 'x/hello.de': 'E-Mail', 'x/hello.sms': 'text', 'x/hello.sms.de': 'Text', 'x/other.sms': 'other' };
  const usual = { ...script('usual', { isDefault: true }), id: '1', call: null, content: { 'script/text.sms': 'of the script' } };
  const step = { channels: ['sms', 'email'] satisfies Channel[], content: 'x/hello' };
  const texts = textsOfStep(version, step, { about: 'lead', campaignId: null }, [usual]);
  expect(texts.stored).toEqual({ 'script/text.sms': 'of the script', 'script/text': 'email', 'script/text.de': 'E-Mail' });
  expect([texts.content, texts.nameOf('x/hello'), texts.scripts.sms?.id, texts.scripts.email]).toEqual([
    'script/text',
    'script/text',
    '1',
    undefined,
  ]);
  // Without scripts nothing is copied.
  expect(textsOfStep(version, step, { about: 'lead', campaignId: null }, []).stored).toBe(version);
});

test.each([
  ['- { id: text, at: 0s, channel: sms, script: spring }', true],
  ['- { id: text, at: 0s, channel: sms, script: own }', 'is missing: name the text'],
  ['- { id: text, at: 0s, channel: none, script: spring }', 'has no use on none'],
  ['- { id: text, at: 0s, channel: sms, script: "Spring!" }', 'is no name of a script'],
  ['- { id: text, at: 0s, channel: sms, script: spring, texts: [a/b, a/c] }', 'stands beside texts'],
])('a file may say %s', (step, expected) => {
  const read = parseSequence(`sequence: x\nname: X\non: lead.created\nsteps:\n  ${step}\n`);
  if (expected === true) expect(read).toMatchObject({ ok: true, definition: { steps: [{ content: null, script: 'spring' }] } });
  else expect(JSON.stringify(read)).toContain(expected);
});
