import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { verifyWebhook } from '../../sdk/index.ts';

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const body = '{"type":"enrollment.stopped","data":{"name":"Zoë"}}';

/** Headers as the reference implementation signs them. */
function signed(at = new Date(), by = secret, text = body) {
  return {
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
    'webhook-signature': new Webhook(by).sign('msg_1', at, text),
  };
}

describe('a webhook that the reference implementation has signed', () => {
  test('is read: as text, as bytes, with the headers of Node and of fetch', async () => {
    const parsed = JSON.parse(body) as unknown;
    expect(await verifyWebhook(body, signed(), secret)).toEqual(parsed);
    expect(await verifyWebhook(new TextEncoder().encode(body), signed(), secret)).toEqual(parsed);
    expect(await verifyWebhook(body, new Headers(signed()), secret)).toEqual(parsed);
    const capitals = Object.fromEntries(Object.entries(signed()).map(([name, value]) => [name.toUpperCase(), [value]]));
    expect(await verifyWebhook(body, capitals, secret)).toEqual(parsed);
  });

  test('may be signed by the old or the new secret, and beside schemes that are not known', async () => {
    const other = `whsec_${btoa('a secret of more than 24 bytes')}`;
    expect(await verifyWebhook(body, signed(new Date(), other), [secret, other])).toEqual(JSON.parse(body));
    const headers = signed();
    const several = { ...headers, 'webhook-signature': `v1a,AAAA v1,not-base64! v1,AAAA ${headers['webhook-signature']}` };
    expect(await verifyWebhook(body, several, secret)).toEqual(JSON.parse(body));
  });

  test.each([
    ['another body', `${body} `, signed(), 'bad_signature'],
    ['another id', body, { ...signed(), 'webhook-id': 'msg_2' }, 'bad_signature'],
    ['another secret', body, signed(new Date(), `whsec_${btoa('a secret of more than 24 bytes')}`), 'bad_signature'],
    ['another scheme alone', body, { ...signed(), 'webhook-signature': signed()['webhook-signature'].replace('v1,', 'v2,') }, 'bad_signature'],
    ['no signature', body, { ...signed(), 'webhook-signature': '' }, 'missing_headers'],
    ['a timestamp six minutes ago', body, signed(new Date(Date.now() - 360_000)), 'stale'],
    ['a timestamp in six minutes', body, signed(new Date(Date.now() + 360_000)), 'stale'],
    ['a timestamp that is none', body, { ...signed(), 'webhook-timestamp': '1e9' }, 'stale'],
  ])('%s is refused', async (_what, text, headers, code) => {
    await expect(verifyWebhook(text, headers, secret)).rejects.toMatchObject({ name: 'WebhookVerificationError', code });
  });

  test('a secret that is none is a mistake of the caller', async () => {
    await expect(verifyWebhook(body, signed(), 'whsec_')).rejects.toThrow(RangeError);
  });
});
