import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isKnownHost, publicKeyOf, webPushConfig, withKeys } from '../../integrations/web-push/config.ts';
import { accountOf, createWebPushSender, judgePush, toMessage } from '../../integrations/web-push/send.ts';
import { aBrowser, claimsOf } from '../helpers/push-browser.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { deadlineIn } from './sender-conformance.ts';
import { aNotification, keys, pushDialect, testConfig } from './web-push/conformance.ts';

let far: StubProvider;
beforeEach(async () => {
  far = await startStubProvider(false, pushDialect);
});
afterEach(() => far.stop());

async function send(payload = aNotification(), config = testConfig(far.port)) {
  const session = await createWebPushSender(config).open();
  try {
    return await session.send(payload, 'enrollment:step', deadlineIn(20_000));
  } finally {
    session.close();
  }
}

describe('a notification', () => {
  test('is read by the browser that it is for, and by no other', () => {
    const browser = aBrowser('https://updates.push.services.mozilla.com/wpush/v2/an-invented-one');
    const config = { ...webPushConfig.parse({ contact: 'https://shop.example.com/contact' }), ...keys };
    const message = toMessage(config, aNotification({ to: browser.address(), title: 'گلدان', direction: 'rtl', language: 'fa' }), 'enrollment:step');
    expect(message?.url.href).toBe('https://updates.push.services.mozilla.com/wpush/v2/an-invented-one');
    expect(message?.headers).toMatchObject({ ttl: '86400', urgency: 'normal', 'content-encoding': 'aes128gcm' });
    expect(message?.headers['topic']).toMatch(/^[\w-]{32}$/);
    const body = message?.body ?? Buffer.alloc(0);
    expect(browser.read(body)).toEqual({
      title: 'گلدان',
      text: 'Your lamp is waiting.',
      url: 'https://r.example/s/abc',
      language: 'fa',
      direction: 'rtl',
      tag: message?.headers['topic'],
    });
    expect(() => aBrowser().read(body)).toThrow();
    expect(body.toString('latin1')).not.toContain('lamp');
    const { key, claims } = claimsOf(message?.headers['authorization'] ?? '');
    expect([key, claims.aud, claims.sub]).toEqual([keys.publicKey, 'https://updates.push.services.mozilla.com', 'https://shop.example.com/contact']);
    // Source: RFC 8292, section 2: at most 24 hours.
    expect(claims.exp * 1_000 - Date.now()).toBeLessThanOrEqual(24 * 3_600_000);
  });

  test('that is taken has the id that the push service gave it', async () => {
    expect(await send()).toMatchObject({
      kind: 'accepted',
      response: 'HTTP 201',
      providerMessageId: 'https://fcm.googleapis.com/m/an-invented-message',
    });
    expect(far.accepted).toHaveLength(1);
  });

  test.each([
    [404, { kind: 'refused', severity: 'hard' }],
    [410, { kind: 'refused', severity: 'hard' }],
    [400, { kind: 'refused', severity: 'soft' }],
    [413, { kind: 'refused', severity: 'soft' }],
    [429, { kind: 'refused', severity: 'soft' }],
    [401, { kind: 'refused', severity: 'soft' }],
    [403, { kind: 'refused', severity: 'soft' }],
    [500, { kind: 'unknown' }],
    [503, { kind: 'unknown' }],
  ])('that is answered %i is judged by what it says about the subscription', (status, outcome) => {
    const judged = judgePush({ status, body: '', headers: {} });
    expect(judged).toMatchObject(outcome);
    // One subscription that was made with other keys must not hold up all others.
    expect(judged).not.toHaveProperty('outage');
  });

  test('waits for as long as a push service that limits the store asks, and an hour at most', () => {
    const after = (retryAfter: string) => judgePush({ status: 429, body: '', headers: { 'retry-after': retryAfter } });
    expect(after('120')).toEqual({ kind: 'refused', severity: 'soft', outage: true, retryAfterMs: 120_000, response: 'HTTP 429' });
    expect(after('999999')).toMatchObject({ retryAfterMs: 3_600_000 });
    expect(after(new Date(Date.now() - 60_000).toUTCString())).toMatchObject({ retryAfterMs: 0 });
    expect(after(new Date(Date.now() + 7_200_000).toUTCString())).toMatchObject({ retryAfterMs: 3_600_000 });
    for (const nonsense of ['', 'soon', '-5']) expect(after(nonsense), nonsense).not.toHaveProperty('retryAfterMs');
  });

  test('goes to push services that are known, and nowhere else', async () => {
    for (const endpoint of [
      'https://169.254.169.254/latest/meta-data',
      'https://fcm.googleapis.com.attacker.example/x',
      'https://fcm.googleapis.com:8443/x',
      'https://push.services.mozilla.com/x',
    ])
      expect(await send(aNotification({ to: aBrowser(endpoint).address() })), endpoint).toMatchObject({ kind: 'refused', severity: 'soft' });
    expect(far.calls).toBe(0);
    const { hosts } = webPushConfig.parse({ contact: 'mailto:push@example.com' });
    for (const host of ['fcm.googleapis.com', 'updates.push.services.mozilla.com', 'web.push.apple.com', 'wns2-par02p.notify.windows.com'])
      expect(isKnownHost(`https://${host}/x`, hosts), host).toBe(true);
  });
});

describe('a configuration', () => {
  test('without keys gets a pair, and keeps it whatever is changed later', () => {
    const entered = { contact: 'mailto:push@example.com' };
    const stored = withKeys(entered, null);
    expect(publicKeyOf(stored)).toMatch(/^B[\w-]{86}$/);
    expect(withKeys({ ...entered, ttlSeconds: 60 }, stored)).toEqual({ ...(stored as object), ttlSeconds: 60 });
    expect(withKeys({ ...entered, ...keys }, stored)).toEqual({ ...entered, ...keys });
    expect(accountOf(publicKeyOf(stored))).not.toBe(accountOf(keys.publicKey));
  });

  test.each([
    ['no contact', {}],
    ['a contact that nobody can write to', { contact: 'push@example.com' }],
    ['half a pair', { contact: 'mailto:push@example.com', publicKey: keys.publicKey }],
    ['a host that is an address', { contact: 'mailto:push@example.com', hosts: ['https://push.example.com'] }],
  ])('with %s is refused', (_what, config) => {
    expect(webPushConfig.safeParse(config).success).toBe(false);
  });
});
