import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { whatsappReceiver } from '../../integrations/whatsapp/receive.ts';
import { createWhatsappSender } from '../../integrations/whatsapp/send.ts';
import type { Delivery } from '../../integrations/port.ts';
import { posted } from '../helpers/a-delivery.ts';
import { aStore } from '../helpers/a-store.ts';
import { faultsBy, providerSpec } from '../helpers/provider-spec.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { signMeta } from './meta/conformance.ts';
import { deadlineIn } from './sender-conformance.ts';
import { aMessage, config, inbound, messageId, phoneNumberId, sendKey, status, testConfig, told, whatsappDialect } from './whatsapp/conformance.ts';

const aTemplate = aMessage({ form: 'template', name: 'cart_reminder', language: 'en_US', parameters: ['Ada', 'https://r.example/s/abc'] });

describe('a message', () => {
  let provider: StubProvider;
  let answer: Record<string, unknown> | null;
  let asked: { url: string | undefined; authorization: string | undefined };
  beforeEach(async () => {
    answer = null;
    provider = await startStubProvider(false, {
      ...whatsappDialect,
      bodyOf: (code) => answer ?? whatsappDialect.bodyOf(code),
      keyOf: (request, body) => {
        asked = { url: request.url, authorization: request.headers.authorization };
        return whatsappDialect.keyOf(request, body);
      },
    });
  });
  afterEach(() => provider.stop());

  async function send(payload = aMessage()) {
    const session = await createWhatsappSender(testConfig(provider.port)).open();
    return session.send(payload, sendKey, deadlineIn(5_000));
  }
  const sent = (): Record<string, unknown> => JSON.parse(provider.accepted.at(-1)?.body ?? '{}') as Record<string, unknown>;

  test('as free text goes to the number with the key that comes back, and its id is kept', async () => {
    expect(await send()).toEqual({ kind: 'accepted', providerMessageId: messageId, response: 'HTTP 200' });
    expect(asked).toEqual({ url: `/v26.0/${phoneNumberId}/messages`, authorization: 'Bearer an-invented-token' });
    expect(sent()).toEqual({
      messaging_product: 'whatsapp',
      recipient_type: 'individual',
      to: '12025550143',
      biz_opaque_callback_data: sendKey,
      type: 'text',
      text: { preview_url: false, body: 'Your tea is still here.' },
    });
  });

  test('as a template names it, its language and its parameters', async () => {
    await send(aTemplate);
    expect(sent()).toMatchObject({
      type: 'template',
      template: {
        name: 'cart_reminder',
        language: { code: 'en_US' },
        components: [
          {
            type: 'body',
            parameters: [
              { type: 'text', text: 'Ada' },
              { type: 'text', text: 'https://r.example/s/abc' },
            ],
          },
        ],
      },
    });
  });

  const spec = providerSpec('whatsapp/openapi-messages.json');
  test.skipIf(spec === null)('is a request as the provider’s own specification has it, in each form', async () => {
    const schema = '/paths/~1{Version}~1{Phone-Number-ID}~1messages/post/requestBody/content/application~1json/schema';
    for (const payload of [aMessage(), aTemplate, aMessage({ form: 'template', name: 'hello', language: 'en', parameters: [] })]) {
      await send(payload);
      expect(faultsBy(spec, schema, sent())).toEqual([]);
    }
    expect(faultsBy(spec, schema, { messaging_product: 'whatsapp', type: 'text', text: {} })).not.toEqual([]);
  });

  const error = (code: number) => ({ error: { message: 'an invented sentence', code } });
  test.each([
    ['a number that is not on WhatsApp', 400, error(131026), { kind: 'refused', severity: 'hard', response: 'HTTP 400, WhatsApp error 131026' }],
    ['a person who has stopped marketing there', 400, error(131050), { kind: 'refused', severity: 'hard' }],
    ['free text outside the window', 400, error(131047), { kind: 'refused', severity: 'soft' }],
    ['more marketing than Meta lets a person have', 400, error(131049), { kind: 'refused', severity: 'soft' }],
    ['a template that does not exist', 404, error(132001), { kind: 'refused', severity: 'soft' }],
    ['too many at once', 429, error(130429), { kind: 'refused', severity: 'soft', outage: true }],
    ['a token that is not accepted', 401, error(190), { kind: 'refused', severity: 'soft', outage: true }],
    ['an account that is not paid', 400, error(131042), { kind: 'refused', outage: true }],
    ['a fault of theirs, though its code sounds certain', 500, error(131016), { kind: 'unknown' }],
    ['a page of a proxy that comes with 200', 200, { page: 'welcome' }, { kind: 'unknown' }],
  ])('%s', async (_what, code, body, outcome) => {
    answer = body;
    provider.nextOnly({ act: 'answer', status: code });
    const found = await send();
    expect(found).toMatchObject(outcome);
    if (!('outage' in outcome)) expect(found).not.toHaveProperty('outage');
  });
});

const read = (raw: Buffer) => {
  const found = whatsappReceiver.reread(posted({ raw, headers: {}, receivedAtMs: Date.UTC(2026, 9, 24, 12) }), aStore);
  return found.kind === 'events' ? found.events : found.kind;
};

describe('a delivery', () => {
  const message = { account: `whatsapp:${phoneNumberId}`, providerMessageId: messageId, sendKey };

  test('of what a person wrote names them by their number, on the channel', () => {
    expect(read(inbound('stop'))).toMatchObject([
      { type: 'message.received', channel: 'whatsapp', person: { phone: '+12025550143' }, text: 'stop', occurredAtMs: Date.UTC(2026, 9, 24, 11) },
    ]);
  });

  test.each([
    ['a button of a template', { type: 'button', button: { text: 'Stop promotions' } }, 'Stop promotions'],
    ['a button', { type: 'interactive', interactive: { type: 'button_reply', button_reply: { id: '1', title: 'Yes' } } }, 'Yes'],
    ['a choice of a list', { type: 'interactive', interactive: { type: 'list_reply', list_reply: { id: '1', title: 'Tomorrow' } } }, 'Tomorrow'],
    ['a picture with words', { type: 'image', image: { id: '1', caption: 'this one' } }, 'this one'],
    ['a voice message', { type: 'audio', audio: { id: '1' } }, null],
    ['a reaction', { type: 'reaction', reaction: { emoji: '👍' } }, '👍'],
  ])('of %s is a reply', (_what, fields, text) => {
    expect(read(inbound('', { text: undefined, ...fields }))).toMatchObject([{ type: 'message.received', text }]);
  });

  test('of what nobody wrote is ignored', () => {
    for (const type of ['system', 'unsupported']) expect(read(inbound('', { type }))).toBe('ignored');
    expect(read(told({}, 'account_update'))).toBe('ignored');
    expect(read(status('sent'))).toBe('ignored');
  });

  test('of a message that was delivered or read is its proof, by our own key', () => {
    for (const name of ['delivered', 'read']) expect(read(status(name))).toMatchObject([{ type: 'message.delivered', message }]);
  });

  test.each([
    ['is not on WhatsApp: the number is closed', 131026, true],
    ['gets too much marketing', 131049, false],
    ['was outside the window', 131047, false],
  ])('of a failure says whether it is for good: %s', (_what, code, permanent) => {
    expect(read(status('failed', { errors: [{ code }] }))).toMatchObject([
      { type: 'message.failed', message, detail: `WhatsApp error ${code}`, permanent },
    ]);
  });

  test('of somebody who stopped marketing in WhatsApp is an opt-out', () => {
    expect(read(status('failed', { errors: [{ code: 131050 }] }))).toMatchObject([
      { type: 'message.failed', permanent: false },
      { type: 'contact.opted_out', channel: 'whatsapp', person: { phone: '+12025550143' }, final: false },
    ]);
  });

  test('of a message that another program sent waits for none of ours', () => {
    expect(read(status('delivered', { biz_opaque_callback_data: undefined }))).toBe('ignored');
  });

  test('with many reports tells them all, and one that is broken takes none with it', () => {
    const [first] = (JSON.parse(inbound('hello').toString()) as { entry: object[] }).entry;
    const [second] = (JSON.parse(status('read').toString()) as { entry: object[] }).entry;
    expect(read(Buffer.from(JSON.stringify({ entry: [null, first, { changes: [7] }, second] })))).toMatchObject([
      { type: 'message.received' },
      { type: 'message.delivered' },
    ]);
  });

  type Vectors = { appSecret: string; vectors: { name: string; body: string; header: Record<string, string>; valid: boolean }[] };
  const vectors = providerSpec('whatsapp/vectors.json') as Vectors | null;
  test.skipIf(vectors === null)('is verified as the published vectors are', () => {
    for (const { name, body, header, valid } of vectors?.vectors ?? []) {
      const headers = { 'x-hub-signature-256': header['X-Hub-Signature-256'] };
      const delivery = posted({ raw: Buffer.from(body), headers, receivedAtMs: Date.UTC(2026, 10, 1) });
      expect(whatsappReceiver.receive(delivery, [vectors?.appSecret ?? ''], aStore).kind === 'refused', name).toBe(!valid);
    }
  });

  test('of a repeat is known by its messages, in whatever order they come', () => {
    const keyOf = (...statuses: object[]) => {
      const raw = told({ statuses });
      const delivery = posted({ raw, headers: { 'x-hub-signature-256': signMeta('s', raw) }, receivedAtMs: 1 });
      const found = whatsappReceiver.receive(delivery, ['s'], aStore);
      return 'dedupeKey' in found ? found.dedupeKey : null;
    };
    const [a, b] = [
      { id: 'wamid.A', status: 'delivered' },
      { id: 'wamid.B', status: 'read' },
    ];
    expect(keyOf(a, b)).toBe(keyOf(b, a));
    expect(keyOf(a, b)).not.toBe(keyOf(a, { ...b, status: 'delivered' }));
  });
});

describe('the handshake', () => {
  const ask = (query: string, verifyToken: string | null = config.verifyToken) => {
    const url = `https://rekindle.example/api/webhooks/whatsapp/a-connection?${query}`;
    const delivery: Delivery = { method: 'GET', url, raw: Buffer.alloc(0), headers: {}, receivedAtMs: 1 };
    return whatsappReceiver.receive(delivery, ['s'], { ...aStore, ...(verifyToken === null ? {} : { config: { ...config, verifyToken } }) });
  };

  test('gives the challenge back to whoever names our token, and to nobody else', () => {
    const query = 'hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=our-own-token';
    expect(ask(query)).toEqual({ kind: 'answer', status: 200, body: { contentType: 'text/plain; charset=utf-8', body: '1158201444' } });
    expect(ask(query, 'another-token')).toEqual({ kind: 'answer', status: 403 });
    expect(ask(query, null)).toEqual({ kind: 'answer', status: 403 });
    expect(ask(query.replace('subscribe', 'x'))).toEqual({ kind: 'answer', status: 403 });
  });
});
