import { createServer, type Server } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { DomainEvent } from '../../domain/events.ts';
import { goHighLevelConfig } from '../../integrations/gohighlevel/config.ts';
import { goHighLevelReceiver } from '../../integrations/gohighlevel/receive.ts';
import { createGoHighLevelSenders } from '../../integrations/gohighlevel/send.ts';
import { instantlyConfig } from '../../integrations/instantly/config.ts';
import { instantlyReceiver } from '../../integrations/instantly/receive.ts';
import { createInstantlySender } from '../../integrations/instantly/send.ts';
import { metaConfig } from '../../integrations/meta/config.ts';
import { metaReceiver } from '../../integrations/meta/receive.ts';
import type { Payload, Receiver, Sender, StoreContext } from '../../integrations/port.ts';
import { createTelegramBot } from '../../integrations/telegram/bot.ts';
import { telegramConfig } from '../../integrations/telegram/config.ts';
import { vapiConfig } from '../../integrations/vapi/config.ts';
import { vapiReceiver } from '../../integrations/vapi/receive.ts';
import { createVapiSender } from '../../integrations/vapi/send.ts';
import { localPageToken } from '../../local/providers/lead-ads.ts';
import { type Providers, startProviders } from '../../local/providers/providers.ts';
import { aStore } from '../helpers/a-store.ts';
import { posted } from '../helpers/a-delivery.ts';
import { type SmtpServer, startSmtpServer } from '../helpers/smtp-server.ts';
import { aText, aWorkflow } from '../integrations/gohighlevel/conformance.ts';
import { aCall } from '../integrations/vapi/conformance.ts';
import { deadlineIn } from '../integrations/sender-conformance.ts';
import { aMail } from '../integrations/a-mail.ts';

// The product's own senders and receivers at the stand-ins of `npm start`.

const token = 'a-token-of-a-test';
const secret = `whsec_${Buffer.alloc(24, 3).toString('base64')}`;
let smtp: SmtpServer;
let providers: Providers;
let api: Server;
let webhookUrl: string;
/** What reads the deliveries, and what it makes of them. */
let reads: { receiver: Receiver; secret: string; config: unknown };
let events: DomainEvent[];
let refusals: number;

beforeAll(async () => {
  smtp = await startSmtpServer();
  api = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const store: StoreContext = { ...aStore, config: reads.config };
      const delivery = posted({ raw: Buffer.concat(chunks), headers: request.headers, receivedAtMs: Date.now() });
      const received = reads.receiver.receive({ ...delivery, url: webhookUrl }, [reads.secret], store);
      if (received.kind === 'events') events.push(...received.events);
      if (received.kind === 'refused') refusals += 1;
      response.writeHead(received.kind === 'refused' ? 401 : 200).end();
    });
  });
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  const address = api.address();
  webhookUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/api/webhooks/x/c`;
});
afterAll(async () => {
  api.closeAllConnections();
  api.close();
  await smtp.close();
});
beforeEach(async () => {
  events = [];
  refusals = 0;
  providers = await startProviders({ port: 0, host: '127.0.0.1', seed: 'a seed', smtpUrl: `smtp://127.0.0.1:${smtp.port}` });
});
afterEach(async () => {
  await providers.stop();
  // Whatever a stand-in reports is signed as its provider signs it.
  expect(refusals).toBe(0);
});

const target = (of: string = secret) => ({ url: webhookUrl, secret: of });
const ask = async (path: string, body?: object) => {
  const init = body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(`${providers.url}${path}`, init);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
async function sendBy<C extends Payload['channel']>(sender: Sender<C>, payload: Payload<C>, key: string) {
  const session = await sender.open();
  return session.send(payload, key, deadlineIn(5_000)).finally(() => session.close());
}

test('a lead ad that is filled in is notified with its id alone, and fetched from the Graph API', async () => {
  const config = metaConfig.parse({
    appSecret: 'app-secret',
    verifyToken: 'verify-me',
    pageAccessToken: localPageToken,
    baseUrl: `${providers.url}/graph`,
  });
  reads = { receiver: metaReceiver, secret: 'app-secret', config };
  providers.ads.connect('store', target('app-secret'));
  const { status, body } = await ask('/lead-ads', { full_name: 'Ada Example', email: 'ada@example.com', click_id: 'click-1' });
  expect([status, events]).toEqual([201, []]);
  const what = { leadgen_id: String(body['leadgen_id']) };
  const context = { config, store: aStore, nowMs: Date.now() };
  const resolved = await metaReceiver.resolve?.({ topic: 'leadgen', key: 'k', what } as never, context as never);
  expect(resolved).toMatchObject({ events: [{ type: 'lead.created', person: { email: 'ada@example.com', firstName: 'Ada' } }] });
  expect((await ask('/lead-ads', { store: 'nobody', email: 'ada@example.com' })).status).toBe(404);
  expect((await ask('/lead-ads', {})).status).toBe(400);
});

describe('calls', () => {
  const senderOf = () =>
    createVapiSender(vapiConfig.parse({ apiKey: token, assistantId: 'a', phoneNumberId: 'n', baseUrl: `${providers.url}/vapi` }), {
      askTimeoutMs: 1_000,
    });

  test('a call rings, is found by its name, and its end is reported once', async () => {
    reads = { receiver: vapiReceiver, secret, config: undefined };
    providers.calls.connect(token, target());
    const outcome = await sendBy(senderOf(), aCall(), 'e:call');
    if (outcome.kind !== 'accepted') throw new Error(outcome.response);
    const { reconciliation } = senderOf();
    if (reconciliation.kind !== 'find') throw new Error('cannot ask');
    const placed = { ...aCall(), dateMs: Date.now() };
    expect([await reconciliation.find('e:call', placed), await reconciliation.find('e:other', placed)]).toEqual(['accepted', 'not_accepted']);
    expect((await ask('/calls/latest/end', { transcript: 'User: Please call me back later.' })).status).toBe(200);
    await expect
      .poll(() => events)
      .toMatchObject([
        {
          type: 'call.ended',
          outcome: 'answered',
          wish: { kind: 'later' },
          message: { providerMessageId: outcome.providerMessageId, sendKey: 'e:call' },
        },
      ]);
    expect((await ask('/calls/latest/end', {})).status).toBe(404);
  });

  test('a call that nobody takes ends by itself, and an unknown key is refused', async () => {
    expect(await sendBy(senderOf(), aCall(), 'e:1')).toMatchObject({ kind: 'refused', response: 'HTTP 401' });
    reads = { receiver: vapiReceiver, secret, config: undefined };
    providers.calls.connect(token, target());
    providers.calls.answer = () => ({ afterMs: 1, endedReason: 'customer-did-not-answer', transcript: '' });
    expect(await sendBy(senderOf(), aCall(), 'e:2')).toMatchObject({ kind: 'accepted' });
    await expect.poll(() => events).toMatchObject([{ type: 'call.ended', outcome: 'not_reached' }]);
  });
});

describe('GoHighLevel', () => {
  const configOf = () =>
    goHighLevelConfig.parse({
      ...{ locationId: 'loc_0001', token: 'pit-a-token', leads: 'every_contact' },
      ...{ webhookPublicKey: providers.crm.publicKey, baseUrl: `${providers.url}/ghl` },
    });
  const senderOf = <C extends 'sms' | 'crm'>(channel: C): Sender<C> => {
    const senders = createGoHighLevelSenders(configOf(), { webhookUrl: null }, { askTimeoutMs: 2_000 });
    return senders.find((one) => one.channel === channel) as unknown as Sender<C>;
  };
  beforeEach(() => {
    providers.crm.connect('loc_0001', 'pit-a-token', webhookUrl);
    reads = { receiver: goHighLevelReceiver, secret: token, config: configOf() };
  });

  test('a text is kept with its contact, found by its link, and reported as delivered', async () => {
    const outcome = await sendBy(senderOf('sms'), aText('k1'), 'k1');
    if (outcome.kind !== 'accepted') throw new Error(outcome.response);
    const { reconciliation } = senderOf('sms');
    if (reconciliation.kind !== 'find') throw new Error('cannot ask');
    expect([await reconciliation.find('k1', aText('k1')), await reconciliation.find('k2', aText('k2', { text: 'Another' }))]).toEqual([
      'accepted',
      'not_accepted',
    ]);
    await expect.poll(() => events.length).toBe(1);
  });

  test('what people write comes in signed; whoever writes first is a new contact', async () => {
    expect((await ask('/crm/says', { phone: '+12025550143', text: 'Yes, please' })).status).toBe(201);
    await expect
      .poll(() => events.map(({ type }) => type).toSorted())
      .toEqual(['contact.opted_in', 'contact.updated', 'lead.created', 'message.received']);
    expect((await ask('/crm/says', { phone: '+12025550143', text: 'Shall we talk?', colleague: true })).status).toBe(201);
    await expect.poll(() => events.map(({ type }) => type)).toContain('lead.contacted');
    expect((await ask('/crm/says', { text: 'x' })).status).toBe(400);
  });

  test('a viewing is agreed in a calendar, and called off', async () => {
    expect((await ask('/crm/books', { phone: '+12025550144' })).status).toBe(201);
    await expect.poll(() => events.filter(({ type }) => type === 'viewing.reported')).toMatchObject([{ viewing: { isOff: false } }]);
    expect((await ask('/crm/books', { phone: '+12025550144', cancelled: true })).body).toMatchObject({ appointmentStatus: 'cancelled' });
    await expect.poll(() => events.filter(({ type }) => type === 'viewing.reported')).toMatchObject([{}, { viewing: { isOff: true } }]);
    expect((await ask('/crm/books', {})).status).toBe(400);
  });

  test('a contact is put into the workflow, and a stranger’s token opens nothing', async () => {
    expect(await sendBy(senderOf('crm'), aWorkflow(), 'k')).toMatchObject({ kind: 'accepted' });
    expect((await ask('/crm')).body).toMatchObject({ locations: [{ contacts: [{ email: 'ada@example.com', workflows: ['Nudge a silent lead'] }] }] });
    providers.crm.connect('loc_0001', 'another-token', webhookUrl);
    expect(await sendBy(senderOf('crm'), aWorkflow(), 'k')).toMatchObject({ kind: 'refused', outage: true });
  });
});

test('Instantly sends an email once, and what happens to it is reported', async () => {
  const config = instantlyConfig.parse({ apiKey: token, campaign: '018f0000-0000-7000-8000-00000000ca01', baseUrl: `${providers.url}/instantly` });
  reads = { receiver: instantlyReceiver, secret: 'a-shared-token', config };
  providers.instantly.connect(token, target('a-shared-token'));
  const mail = aMail();
  expect(await sendBy(createInstantlySender(config), mail, 'e:1')).toMatchObject({ kind: 'accepted' });
  // A lead is in a campaign once.
  expect(await sendBy(createInstantlySender(config), mail, 'e:2')).toMatchObject({ kind: 'refused' });
  await expect.poll(() => events).toMatchObject([{ type: 'message.delivered', message: { sendKey: 'e:1' } }]);
  expect(smtp.accepted.filter(({ envelope }) => envelope.to.includes(mail.to.address))).toHaveLength(1);
  expect((await ask('/campaign-emails', { email: mail.to.address, text: 'Yes please' })).status).toBe(202);
  await expect.poll(() => events.at(-1)).toMatchObject({ type: 'message.received', text: 'Yes please' });
});

test('a bot hears what a person writes, presses and shares', async () => {
  const bot = createTelegramBot(telegramConfig.parse({ token: `700000009:${'a'.repeat(35)}`, baseUrl: `${providers.url}/telegram` }));
  providers.connectBot('store', `700000009:${'a'.repeat(35)}`);
  for (const turn of [{ text: '/start' }, { phone: '+12025550143' }, { press: 'ask_questions' }])
    expect((await ask('/chats/5001', turn)).status).toBe(202);
  const updates = await bot.fetch(null, { waitMs: 0, signal: AbortSignal.timeout(5_000) });
  expect(updates.map(({ raw }) => Object.keys(JSON.parse(raw.toString()) as object)[1])).toEqual(['message', 'message', 'callback_query']);
  // Ids of updates never come again, also after a restart.
  expect(updates[0]?.id).toBeGreaterThan(1_700_000_000);
  expect(await bot.reply('5001', { text: 'Hello', buttons: [] }, { timeoutMs: 5_000 })).toMatchObject({ kind: 'accepted' });
  expect((await ask('/chats/5001', { store: 'nobody', text: 'x' })).status).toBe(404);
});

test('nothing is taken from a page of another site: it cannot send JSON without asking', async () => {
  for (const path of ['/lead-ads', '/calls/latest/end', '/crm/says', '/chats/1', '/campaign-emails'])
    expect((await fetch(`${providers.url}${path}`, { method: 'POST', body: new URLSearchParams({ text: 'x' }) })).status).toBe(415);
});
