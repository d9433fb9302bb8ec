import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DomainEvent } from '../../domain/events.ts';
import { twilioConfig } from '../../integrations/twilio/config.ts';
import { twilioReceiver } from '../../integrations/twilio/receive.ts';
import { createTwilioSender } from '../../integrations/twilio/send.ts';
import { type Phone, startPhone } from '../../local/phone/phone.ts';
import { aStore } from '../helpers/a-store.ts';
import { deadlineIn } from '../integrations/sender-conformance.ts';
import { aText } from '../integrations/twilio/conformance.ts';
import { accountSid } from '../integrations/twilio/deliveries.ts';

const authToken = 'an-invented-token';
let dir: string;
let phone: Phone;
let api: Server;
let webhookUrl: string;
/** What the product's receiver makes of the webhooks. */
let events: DomainEvent[];
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'rekindle-phone-'));
  phone = await startPhone({ dir, port: 0, host: '127.0.0.1' });
  events = [];
  api = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const delivery = { method: 'POST', url: webhookUrl, raw: Buffer.concat(chunks), headers: request.headers, receivedAtMs: Date.now() } as const;
      const received = twilioReceiver.receive(delivery, [authToken], aStore);
      if (received.kind === 'events') events.push(...received.events);
      response.writeHead(received.kind === 'refused' ? 401 : 200).end();
    });
  });
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  const address = api.address();
  webhookUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/api/webhooks/twilio/c`;
});
afterEach(async () => {
  await phone.stop();
  api.closeAllConnections();
  api.close();
  rmSync(dir, { recursive: true });
});

const sender = () => createTwilioSender(twilioConfig.parse({ accountSid, authToken, from: '+15005550006', baseUrl: phone.webUrl }), { webhookUrl });
async function send(to: string, key = 'a:1') {
  const session = await sender().open();
  return session.send(aText(key, { to }), key, deadlineIn(5_000));
}
const reply = (number: string, text: string) =>
  fetch(`${phone.webUrl}/api/replies`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ number, text }) });
const listed = async (): Promise<{ body: string; direction: string }[]> =>
  ((await (await fetch(`${phone.webUrl}/api/texts`)).json()) as { texts: { body: string; direction: string }[] }).texts;

test('a text arrives, its receipt follows, and it can be found, also after a restart', async () => {
  const outcome = await send('+12025550143');
  if (outcome.kind !== 'accepted') throw new Error(outcome.response);
  const message = { account: `twilio:${accountSid}`, providerMessageId: outcome.providerMessageId };
  await expect.poll(() => events, { timeout: 30_000 }).toMatchObject([{ type: 'message.delivered', message }]);
  expect(await listed()).toMatchObject([{ body: aText('a:1').text, direction: 'outbound-api' }]);
  await phone.stop();
  phone = await startPhone({ dir, port: 0, host: '127.0.0.1' });
  const { reconciliation } = sender();
  if (reconciliation.kind !== 'find') throw new Error('cannot ask');
  expect(await reconciliation.find('a:1', aText('a:1'))).toBe('accepted');
  expect(await reconciliation.find('a:2', aText('a:2'))).toBe('not_accepted');
});

test('a reply from the page reaches the webhook, signed; after STOP nothing is taken until START', async () => {
  await send('+436641234567');
  expect((await reply('+436641234567', 'STOP')).status).toBe(201);
  expect(events).toContainEqual(
    expect.objectContaining({ type: 'message.received', text: 'STOP', person: expect.objectContaining({ phone: '+436641234567' }) }),
  );
  expect(await send('+436641234567', 'a:2')).toMatchObject({ kind: 'refused', severity: 'hard', response: 'HTTP 400, Twilio error 21610' });
  await reply('+436641234567', 'start');
  expect(await send('+436641234567', 'a:3')).toMatchObject({ kind: 'accepted' });
});

test('what cannot be done is refused with the reason', async () => {
  expect(await send('+15005550001')).toMatchObject({ kind: 'refused', severity: 'hard' });
  expect((await reply('+12025550199', 'hello')).status).toBe(404);
  expect((await reply('+12025550199', ' ')).status).toBe(400);
  const unsigned = await fetch(`${phone.webUrl}/2010-04-01/Accounts/${accountSid}/Messages.json`, {
    method: 'POST',
    body: new URLSearchParams({ To: '+12025550143' }),
  });
  expect(unsigned.status).toBe(401);
  // A form of a strange page is no JSON.
  expect(
    (await fetch(`${phone.webUrl}/api/replies`, { method: 'POST', body: new URLSearchParams({ number: '+436641234567', text: 'STOP' }) })).status,
  ).toBe(415);
});

test('the page is served', async () => {
  const response = await fetch(phone.webUrl);
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
});
