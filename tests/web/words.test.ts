import { expect, test, vi } from 'vitest';

declare global {
  // What the dashboard reads of a browser: types of the DOM are no part of this project.
  var navigator: { readonly languages: readonly string[] };
}

// Node 20 has no navigator; the words are the same in every language of the reader.
vi.stubGlobal('navigator', { languages: ['en-GB'] });
const { auditWords, readable } = await import('../../web/parts/words.ts');
const { knownSources, sourceName, sourceOf } = await import('../../web/screens/leads/lead-words.ts');
const id = '01a22e8f-a09a-773e-8ab1-0e78a8cf86d9';

test.each([
  ['email_2h was accepted. The provider said: 250 kept_as x', '“Email 2h” was accepted. The provider said: 250 kept_as x'],
  ['sms_12h: delivered.', '“Sms 12h”: delivered.'],
  ['sms_12h may go out by sms: all 32 gates are open.', '“Sms 12h” may go out by text message: all 32 gates are open.'],
  [`Agreed to messages by sms (connection:${id}).`, 'Agreed to messages by text message through a connection.'],
  [`The sequence was paused (person:${id}).`, 'The sequence was paused by somebody of the team.'],
  [`email_2h was not sent: by hand (api_key:${id}).`, '“Email 2h” was not sent: by hand, by a key of the API.'],
  ['Taken into the sequence lead-nurture.', 'Taken into the sequence “lead nurture”.'],
  ['The lead was taken into the sequence, version 1.', 'The lead was taken into the sequence, version 1.'],
  ['It said: sent by sms (connection:x)', 'It said: sent by sms (connection:x)'],
])('%s is read as %s', (said, read) => expect(readable(said)).toBe(read));

test('who and what is known is named', () => {
  expect(readable('Taken into the sequence cart.', undefined, () => 'Cart recovery')).toBe('Taken into the sequence “Cart recovery”.');
  const team = new Map([[`person:${id}`, 'Ada Example']]);
  expect(readable(`The sequence was paused (person:${id}).`, team)).toBe('The sequence was paused by Ada Example.');
  expect(readable(`email_2h was not sent: by hand (person:${id}).`, team)).toBe('“Email 2h” was not sent: by hand, by Ada Example.');
});

test.each([
  ['api_key.issue', 'Key of the API issued'],
  ['connection.create', 'Connection created'],
  ['member.join', 'Member of the team joined'],
  ['sequence.pause', 'Sequence paused'],
  ['test.send', 'Test message sent'],
  ['enrollment.stop', 'Sequence of a person stopped'],
  ['bulk_action.cancel', 'Action for many cancelled'],
])('the audit log calls %s “%s”', (action, words) => expect(auditWords(action)).toBe(words));

test('a source of leads is called by its name, and found by it', () => {
  expect(sourceName('META')).toBe('Facebook or Instagram');
  expect(knownSources.map(sourceOf).map(sourceName)).toEqual(knownSources);
  expect([sourceOf('facebook or instagram'), sourceOf('landing page'), sourceOf('META')]).toEqual(['META', 'landing page', 'META']);
});

test('one is no plural', async () => {
  const { formatCount } = await import('../../web/parts/format.ts');
  expect([0, 1, 1_200].map((count) => formatCount(count, 'order', 'orders'))).toEqual(['0 orders', '1 order', '1,200 orders']);
});
