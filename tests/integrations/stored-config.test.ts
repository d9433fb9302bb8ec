import { expect, test } from 'vitest';
import { createSenders } from '../../integrations/index.ts';
import { metaConfig } from '../../integrations/meta/config.ts';
import { knownConfig } from '../../integrations/stored-config.ts';
import { accountSid } from './twilio/deliveries.ts';

const meta = { appSecret: 'an-invented-secret', verifyToken: 'an-invented-token', fields: { Frage: 'email' } };
const twilio = { accountSid, authToken: 'an-invented-token', from: '+15005550006' };

test('a key that a later build has stored is left out, and everything else is read', () => {
  expect(knownConfig(metaConfig, { ...meta, fromTomorrow: { a: 1 }, another: [] })).toEqual(meta);
  expect(knownConfig(metaConfig, meta)).toBe(meta);
  expect(knownConfig(undefined, { url: 'x' })).toEqual({ url: 'x' });
});

test('also in an object within it', () => {
  const apiKey = { sid: `SK${'0'.repeat(32)}`, secret: 'an-invented-secret' };
  const config = { ...twilio, apiKey: { ...apiKey, fromTomorrow: true } };
  const [sender] = createSenders({ integration: 'twilio', config });
  expect(sender).toMatchObject({ channel: 'sms', account: `twilio:${accountSid}` });
});

test('what is wrong stays wrong', () => {
  expect(() => createSenders({ integration: 'twilio', config: { ...twilio, accountSid: 'mine', fromTomorrow: true } })).toThrow(/accountSid/);
});
