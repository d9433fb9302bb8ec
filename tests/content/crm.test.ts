import { expect, test } from 'vitest';
import { crmContent } from '../../content/channels/crm/index.ts';
import { addressKindsOf, addressOf } from '../../domain/channels/index.ts';
import { openChannels } from '../../operations/dispatch/open-channels.ts';
import { cartKind } from './a-mail.ts';

const purpose = { kind: cartKind, isFirst: true, language: null };
const compile = (text: string) => crmContent.compile({ file: 'nudge.crm.liquid', text }, purpose);

test('a step names its workflow, and says below it what it is for', async () => {
  expect(await compile('---\nworkflow: Nudge a silent lead\n---\nTexts and calls, until they answer.\n')).toEqual({
    language: 'en',
    workflow: 'Nudge a silent lead',
    note: 'Texts and calls, until they answer.',
  });
});

test.each([
  ['no workflow', 'Hello'],
  ['an empty one', '---\nworkflow: ""\n---\n'],
  ['a field that does not exist', '---\nworkflow: Nudge\nworkflows: Nudge\n---\n'],
  ['what is no YAML', '---\nworkflow: [\n---\n'],
])('%s is named with its file', async (_what, text) => {
  await expect(compile(text)).rejects.toThrow('nudge.crm.liquid');
});

test('it goes to an email address, or to a number where there is none', () => {
  const payload = { channel: 'crm', firstName: null, lastName: null, workflow: 'Nudge' } as const;
  expect(addressOf({ ...payload, to: 'ada@example.com' })).toEqual({ kind: 'email', value: 'ada@example.com' });
  expect(addressOf({ ...payload, to: '+12025550143' })).toEqual({ kind: 'phone', value: '+12025550143' });
  expect(addressKindsOf('crm')).toEqual(['email', 'phone']);
});

test('an opt-out on any channel closes it, a dead address only itself', () => {
  const identities = [
    { kind: 'email', value: 'ada@example.com' },
    { kind: 'phone', value: '+12025550143' },
  ];
  const open = (...blocked: { channel: string; hash: string; reason: string }[]) => openChannels(identities, blocked, ({ value }) => value);
  for (const channel of ['sms', 'email', 'whatsapp', 'call', 'all']) {
    const hash = channel === 'email' || channel === 'all' ? 'ada@example.com' : '+12025550143';
    expect(open({ channel, hash, reason: 'opted_out' }).isClosed('crm'), channel).toBe(true);
  }
  const bounced = open({ channel: 'email', hash: 'ada@example.com', reason: 'bounce' });
  expect(bounced.isClosed('crm')).toBe(false);
  expect(bounced.usable('crm', identities)).toEqual([identities[1]]);
  expect(open().usable('crm', identities)).toEqual(identities);
  // The other channels are closed by their own alone.
  expect(open({ channel: 'sms', hash: '+12025550143', reason: 'opted_out' }).isClosed('email')).toBe(false);
});
