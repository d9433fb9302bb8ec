import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createSender } from '../../integrations/index.ts';
import { readDkimKey } from '../../integrations/smtp/dkim-key.ts';
import { verifyDkim } from '../helpers/dkim-verifier.ts';
import { type SmtpServer, startSmtpServer } from '../helpers/smtp-server.ts';
import { aMail } from './a-mail.ts';
import { deadlineIn } from './sender-conformance.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const settings = { domain: 'shop.example.com', selector: 'rekindle1', privateKey: pem };

let server: SmtpServer;
beforeEach(async () => {
  server = await startSmtpServer();
});
afterEach(() => server.close());

/** The bytes that a server got for a message sent through a connection with this configuration. */
async function received(dkim: unknown, mail = aMail()): Promise<Buffer> {
  const session = await createSender({ integration: 'smtp', config: { url: server.url, ...(dkim === undefined ? {} : { dkim }) } }).open();
  try {
    expect(await session.send(mail, 'enrollment:step', deadlineIn(3_000))).toMatchObject({ kind: 'accepted' });
  } finally {
    session.close();
  }
  return server.accepted.at(-1)?.raw ?? Buffer.alloc(0);
}

const oddMail = aMail({
  from: { name: 'Łódź & Söhne GmbH', address: 'hello@shop.example.com' },
  to: { name: '山田 "太郎"', address: 'aki..tani.@docomo.example' },
  subject: 'Ihr Warenkorb 🫖 wartet: =?utf-8?Q?x?= '.repeat(4),
  text: '.\n..  two  spaces \n\n\n.\n',
  html: `<p>${'Grüße 🫖 '.repeat(200)}</p>\n\n\n`,
  unsubscribeUrl: `https://shop.example.com/u/${'t'.repeat(300)}`,
});

describe('a signed message', () => {
  test.each([
    ['ordinary', aMail()],
    ['full of what relays and servers rewrite', oddMail],
  ])('carries a signature that holds over the bytes that the server got: %s', async (_what, mail) => {
    const { tags, ...verdict } = verifyDkim(await received(settings, mail), createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })));
    expect(verdict).toEqual({ bodyHolds: true, signatureHolds: true });
    expect(tags).toMatchObject({ v: '1', d: 'shop.example.com', s: 'rekindle1' });
  });

  test('covers both headers of one-click unsubscribe, as RFC 8058 demands, and all others that a reader sees', async () => {
    const { tags } = verifyDkim(await received(settings, aMail({ replyTo: 'help@shop.example.com' })), publicKey);
    expect(tags['h']?.toLowerCase().split(':').toSorted()).toEqual([
      'content-type',
      'date',
      'from',
      'list-unsubscribe',
      'list-unsubscribe-post',
      'message-id',
      'mime-version',
      'reply-to',
      'subject',
      'to',
    ]);
  });

  test.each([
    ['the sender', /From: [^\r]*/, 'From: Eve <eve@shop.example.com>'],
    ['the unsubscribe link', /List-Unsubscribe: [^\r]*/, 'List-Unsubscribe: <https://evil.example.com/u>'],
    ['one word of the text', /waiting\./, 'hastening.'],
  ])('no longer holds when %s is changed', async (_what, pattern, replacement) => {
    const changed = (await received(settings)).toString('latin1').replace(pattern, replacement);
    const { bodyHolds, signatureHolds } = verifyDkim(Buffer.from(changed, 'latin1'), publicKey);
    expect(bodyHolds && signatureHolds).toBe(false);
  });

  test('is the same bytes whenever the same payload is sent', async () => {
    const first = await received(settings, oddMail);
    expect((await received(settings, oddMail)).equals(first)).toBe(true);
  });
});

test('without a key no signature is written', async () => {
  for (const none of [undefined, null]) expect((await received(none)).toString('latin1')).not.toMatch(/dkim/i);
});

describe('a key', () => {
  const der = privateKey.export({ type: 'pkcs8', format: 'der' });
  test.each([
    ['PEM', pem],
    ['PEM of PKCS #1', privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()],
    ['PEM on one line', pem.replaceAll('\n', '\\n')],
    ['base64 of PEM', Buffer.from(pem).toString('base64')],
    ['base64 of DER', der.toString('base64')],
    ['base64 of PKCS #1 in DER', privateKey.export({ type: 'pkcs1', format: 'der' }).toString('base64')],
  ])('is read as %s', (_form, text) => {
    expect(readDkimKey({ ...settings, privateKey: text }).privateKey.equals(privateKey)).toBe(true);
  });

  const small = generateKeyPairSync('rsa', { modulusLength: 768 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const elliptic = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  test.each([
    ['privateKey', { privateKey: 'hunter2' }],
    ['privateKey', { privateKey: '' }],
    ['privateKey', { privateKey: publicKey.export({ type: 'spki', format: 'pem' }).toString() }],
    ['privateKey', { privateKey: small }],
    ['privateKey', { privateKey: elliptic }],
    ['domain', { domain: 'shop' }],
    ['domain', { domain: 'shop.example.com; d=evil.example.com' }],
    ['domain', { domain: '' }],
    ['selector', { selector: 'a b' }],
    ['selector', { selector: 'a;b' }],
    ['selector', { selector: '' }],
  ])('that cannot sign is refused by the name of the setting, %s, and never repeated: %j', (part, wrong) => {
    const attempt = () => readDkimKey({ ...settings, ...wrong });
    expect(attempt).toThrowError(expect.objectContaining({ code: 'dkim_config', part }));
    expect(attempt).not.toThrowError(/hunter2|PRIVATE|MII/);
    expect(() => createSender({ integration: 'smtp', config: { url: server.url, dkim: { ...settings, ...wrong } } })).toThrowError(
      expect.objectContaining({ part }),
    );
  });
});
