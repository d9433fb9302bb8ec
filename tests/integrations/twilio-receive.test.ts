import { describe, expect, test } from 'vitest';
import type { DomainEvent } from '../../domain/events.ts';
import type { Delivery, Normalised } from '../../integrations/port.ts';
import { twilioReceiver } from '../../integrations/twilio/receive.ts';
import { signTwilioForm, signTwilioJson } from '../../integrations/twilio/sign.ts';
import { posted } from '../helpers/a-delivery.ts';
import { aStore } from '../helpers/a-store.ts';
import { accountSid, inbound, messageSid, status, theirs } from './twilio/deliveries.ts';

const token = 'an-invented-token';
const receivedAtMs = Date.UTC(2026, 10, 24, 12);
const url = 'https://rekindle.example/api/webhooks/twilio/a-connection';

function signed(raw: Buffer, { at = url, signedAs = at, headers = {} }: { at?: string; signedAs?: string; headers?: Record<string, string> } = {}) {
  return { ...posted({ raw, headers: { 'x-twilio-signature': signTwilioForm(token, signedAs, raw), ...headers }, receivedAtMs }), url: at };
}
const receive = (delivery: Delivery, secret = token) => twilioReceiver.receive(delivery, [secret], aStore);
const read = (raw: Buffer): Normalised => twilioReceiver.reread(posted({ raw, headers: {}, receivedAtMs }), aStore);
const eventsOf = (raw: Buffer): DomainEvent[] => {
  const normalised = read(raw);
  if (normalised.kind !== 'events') throw new Error(normalised.kind);
  return normalised.events;
};
const person = { email: null, phone: theirs, externalId: null };

describe('the signature', () => {
  const official = 'CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212';

  test("is that of Twilio's published example", () => {
    expect(signTwilioForm('12345', 'https://mycompany.com/myapp.php?foo=1&bar=2', official)).toBe('RSOYDt4T1cUTdK1PDd93/VVr8B8=');
  });

  test('covers spaces at the ends of a value', () => {
    const delivery = signed(inbound(' STOP '));
    expect(receive(delivery).kind).toBe('events');
    expect(receive({ ...delivery, raw: inbound('STOP') })).toEqual({ kind: 'refused', reason: 'bad_signature' });
  });

  test('may be over the address with its default port, or with its query encoded in another way', () => {
    expect(receive(signed(inbound('hello'), { signedAs: url.replace('.example', '.example:443') })).kind).toBe('events');
    const at = `${url}?note=it's (ours)`;
    expect(
      receive(signed(inbound('hello'), { at: at.replaceAll(' ', '%20').replaceAll("'", '%27'), signedAs: at.replaceAll(' ', '%20') })).kind,
    ).toBe('events');
    expect(receive(signed(inbound('hello'), { signedAs: url.replace('https', 'http') })).kind).toBe('refused');
    expect(receive(signed(inbound('hello'), { signedAs: `${url}?x=1` })).kind).toBe('refused');
  });

  test('covers each different value of a repeated field once', () => {
    const raw = Buffer.concat([inbound('hello'), Buffer.from('&Extra=b&Extra=a&Extra=b')]);
    expect(receive(signed(raw)).kind).toBe('events');
    expect(receive({ ...signed(raw), raw: Buffer.concat([inbound('hello'), Buffer.from('&Extra=b&Extra=c&Extra=b')]) }).kind).toBe('refused');
  });

  test('of a JSON body covers the URL, which names the hash of the body', () => {
    const body = Buffer.from(JSON.stringify(Object.fromEntries(new URLSearchParams(status('delivered').toString()))));
    const { url: at, signature } = signTwilioJson(token, url, body);
    const delivery: Delivery = { ...posted({ raw: body, headers: { 'x-twilio-signature': signature }, receivedAtMs }), url: at };
    expect(receive(delivery)).toMatchObject({ kind: 'events', topic: 'status/delivered' });
    expect(receive({ ...delivery, raw: Buffer.from(body.toString().replace('delivered', 'undelivered')) }).kind).toBe('refused');
    expect(receive({ ...delivery, url }).kind).toBe('refused');
    // A hash alone proves nothing.
    expect(receive({ ...delivery, headers: { 'x-twilio-signature': signTwilioForm('a-stranger', at, '') } }).kind).toBe('refused');
  });

  test('may be by HMAC-SHA256 with a shared key, where a webhook rule says so', () => {
    const settings = { 'x-twilio-webhooks-signature-settings': 'key=webhooks_sharedkey_0001,algorithm=HMAC_SHA256' };
    expect(receive(signed(inbound('hello'), { headers: settings })).kind).toBe('refused');
    const raw = inbound('hello');
    const official256 = {
      url: 'https://rekindle.example/api/webhooks/twilio?attempt=018f0000-0000-7000-8000-000000000001',
      form: 'ToCountry=US&ToState=CA&SmsMessageSid=SM00000000000000000000000000000001&NumMedia=0&ToCity=&FromZip=&SmsSid=SM00000000000000000000000000000001&FromState=NY&SmsStatus=received&FromCity=&Body=+STOP+&FromCountry=US&To=%2B15005550006&MessagingServiceSid=MG00000000000000000000000000000001&ToZip=&NumSegments=1&OptOutType=STOP&MessageSid=SM00000000000000000000000000000001&AccountSid=AC00000000000000000000000000000001&From=%2B12025550143&ApiVersion=2010-04-01',
    };
    const delivery: Delivery = {
      ...posted({
        raw: Buffer.from(official256.form),
        headers: { ...settings, 'x-twilio-signature': 'JnnrXUchA+KAMl9fPv4YzkW8QU2sUPMNQLGseY9L7mk=' },
        receivedAtMs,
      }),
      url: official256.url,
    };
    expect(receive(delivery, 'shared-key-secret').kind).not.toBe('refused');
    expect(receive({ ...delivery, raw }, 'shared-key-secret').kind).toBe('refused');
  });
});

describe('a receipt', () => {
  const message = { account: `twilio:${accountSid}`, providerMessageId: messageSid };

  test('of a text that arrived, or was read', () => {
    for (const word of ['delivered', 'read', 'DELIVERED'])
      expect(eventsOf(status(word))).toEqual([{ type: 'message.delivered', occurredAtMs: receivedAtMs, message, detail: null, permanent: false }]);
  });

  test.for([
    ['30003', false],
    ['30004', true],
    ['30005', true],
    ['30006', true],
    ['30007', false],
    ['21211', true],
    ['21614', true],
    ['nonsense', false],
  ] as const)('of a text that failed with %s', ([code, permanent]) => {
    const detail = code === 'nonsense' ? null : `Twilio error ${code}`;
    expect(eventsOf(status('undelivered', { ErrorCode: code }))).toEqual([
      { type: 'message.failed', occurredAtMs: receivedAtMs, message, detail, permanent },
    ]);
  });

  test('of a text to somebody who had answered STOP is their opt-out from texts', () => {
    expect(eventsOf(status('failed', { ErrorCode: '21610' }))).toEqual([
      expect.objectContaining({ type: 'message.failed', permanent: false }),
      { type: 'contact.opted_out', occurredAtMs: receivedAtMs, person, channel: 'sms', final: false, source: 'twilio', basis: 'person' },
    ]);
  });

  test('on the way is ignored', () => {
    for (const word of ['queued', 'sending', 'sent', 'constructor']) expect(read(status(word)).kind).toBe('ignored');
  });

  test('is the same as its repeat, and another than the next', () => {
    const keyOf = (raw: Buffer) => twilioReceiver.dedupeKey(posted({ raw, headers: {}, receivedAtMs }));
    expect(keyOf(status('sent'))).toBe(`${messageSid}:sent`);
    expect(keyOf(status('delivered'))).toBe(`${messageSid}:delivered`);
    expect(keyOf(inbound('hello'))).toBe(`${messageSid}:received`);
  });
});

describe('a text that a person sent', () => {
  test('is a reply, whatever it says', () => {
    for (const text of ['STOP', 'help', 'Start', 'yes, tell me more', 'Grüße 🫖'])
      expect(eventsOf(inbound(text))).toEqual([{ type: 'message.received', occurredAtMs: receivedAtMs, person, channel: 'sms', text }]);
  });

  test('a picture alone is one without words', () => {
    expect(eventsOf(inbound('', { NumMedia: '1' }))).toMatchObject([{ type: 'message.received', text: null }]);
  });

  test("the account's own keywords are opt-outs and opt-ins", () => {
    expect(eventsOf(inbound('NO MORE OF IT', { OptOutType: 'STOP' }))).toMatchObject([
      { type: 'message.received', text: 'NO MORE OF IT' },
      { type: 'contact.opted_out', person, channel: 'sms', final: false, basis: 'person' },
    ]);
    expect(eventsOf(inbound('ALTA', { OptOutType: 'START' }))).toMatchObject([
      { type: 'message.received' },
      { type: 'contact.opted_in', person, channel: 'sms', wording: 'ALTA', confirmed: true },
    ]);
    // A keyword of ours that the account has given another meaning.
    expect(eventsOf(inbound('INFO', { OptOutType: 'STOP' }))).toMatchObject([{ type: 'message.received' }, { type: 'contact.opted_out' }]);
    expect(eventsOf(inbound('AYUDA', { OptOutType: 'HELP' }))).toHaveLength(1);
  });

  test('over another service of Twilio is of the same person', () => {
    for (const service of ['rcs', 'whatsapp']) expect(eventsOf(inbound('stop', { From: `${service}:${theirs}` }))).toMatchObject([{ person }]);
  });

  test('from nobody is kept, because it may be a stop', () => {
    for (const From of ['', '12345', 'MyBank']) expect(read(inbound('STOP', { From }))).toMatchObject({ kind: 'unreadable', mayBeStop: true });
    expect(read(Buffer.from('To=x'))).toMatchObject({ kind: 'unreadable', mayBeStop: true });
  });

  test('is answered with TwiML that sends nothing', () => {
    for (const raw of [inbound('hello'), inbound('STOP', { From: '' }), status('sent')])
      expect(read(raw).reply).toEqual({ contentType: 'text/xml', body: expect.stringMatching(/<Response\/>$/) });
  });
});
