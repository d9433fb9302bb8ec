import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Delivery } from '../../integrations/port.ts';
import { sesReceiver } from '../../integrations/ses/receive.ts';
import { createSesSender } from '../../integrations/ses/send.ts';
import { createCertificates, verifySns } from '../../integrations/ses/sns.ts';
import { confirmationOf, confirmSubscription } from '../../integrations/ses/subscription.ts';
import { posted } from '../helpers/a-delivery.ts';
import { aStore } from '../helpers/a-store.ts';
import { faultsBy, providerSpec } from '../helpers/provider-spec.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { aMail } from './a-mail.ts';
import { deadlineIn } from './sender-conformance.ts';
import {
  bounce,
  certificate,
  certificateUrl,
  complaint,
  fromSns,
  messageId,
  sendKey,
  sesDialect,
  testConfig,
  told,
  topicArn,
} from './ses/conformance.ts';

const atMs = Date.UTC(2026, 9, 24, 12);
const hrefOf = (input: Parameters<typeof fetch>[0]): string => (input instanceof URL ? input.href : typeof input === 'string' ? input : input.url);

describe('an email', () => {
  let provider: StubProvider;
  let answer: Record<string, unknown> | null;
  let headers: Record<string, string | string[] | undefined>;
  beforeEach(async () => {
    answer = null;
    const dialect = { ...sesDialect, bodyOf: (status: number) => answer ?? sesDialect.bodyOf(status) };
    provider = await startStubProvider(false, {
      ...dialect,
      keyOf: (request, body) => {
        headers = request.headers;
        return dialect.keyOf(request, body);
      },
    });
  });
  afterEach(() => provider.stop());

  async function send(payload = aMail()) {
    const session = await createSesSender(testConfig(provider.port)).open();
    return session.send(payload, sendKey, deadlineIn(5_000));
  }
  const sent = (): Record<string, unknown> => JSON.parse(provider.accepted.at(-1)?.body ?? '{}') as Record<string, unknown>;

  test('is posted with the tags by which its events are known, and its id is kept', async () => {
    expect(await send(aMail({ replyTo: 'help@shop.example.com', to: { name: 'Zoë Example', address: 'zoe@bücher.example' } }))).toEqual({
      kind: 'accepted',
      providerMessageId: messageId,
      response: 'HTTP 200',
    });
    expect(sent()).toMatchObject({
      FromEmailAddress: '"Tea & Tin" <hello@shop.example.com>',
      Destination: { ToAddresses: ['=?UTF-8?Q?Zo=C3=AB_Example?= <zoe@xn--bcher-kva.example>'] },
      ReplyToAddresses: ['help@shop.example.com'],
      ConfigurationSetName: 'rekindle',
      EmailTags: [
        { Name: 'rekindle_account', Value: 'main' },
        { Name: 'rekindle_key', Value: Buffer.from(sendKey).toString('base64url') },
      ],
    });
  });

  test('is signed over its bytes, with the key’s scope and without the secret', async () => {
    await send();
    const { authorization = '' } = headers;
    expect(authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIAINVENTEDKEY00001\/\d{8}\/eu-west-1\/ses\/aws4_request, SignedHeaders=[a-z0-9;-]*host/,
    );
    expect(JSON.stringify(headers)).not.toContain('an-invented-secret-key');
    expect(String(headers['content-length'])).toBe(String(Buffer.byteLength(provider.accepted[0]?.body ?? '')));
  });

  const spec = providerSpec('email-ses/send-email.schema.json');
  test.skipIf(spec === null)('is a request as the provider’s own specification has it', async () => {
    await send(aMail({ replyTo: 'help@shop.example.com' }));
    expect(faultsBy(spec, '/$defs/SendEmailRequest', sent())).toEqual([]);
    expect(faultsBy(spec, '/$defs/SendEmailRequest', { Destination: { ToAddresses: 'ada@example.com' } })).not.toEqual([]);
  });

  const refused = (kind: string) => ({ __type: `com.amazonaws.sesv2#${kind}`, message: 'an invented sentence' });
  test.each([
    ['a sender who is not verified', 400, refused('MessageRejected'), { kind: 'refused', severity: 'soft', response: 'HTTP 400, MessageRejected' }],
    ['an account that is paused', 400, refused('SendingPausedException'), { kind: 'refused', severity: 'soft', outage: true }],
    ['a quota that is used up', 400, refused('LimitExceededException'), { kind: 'refused', outage: true }],
    ['too many at once', 429, refused('TooManyRequestsException'), { kind: 'refused', outage: true }],
    ['a wrong key', 403, { message: 'The security token included in the request is invalid.' }, { kind: 'refused', severity: 'soft' }],
    ['a fault of theirs', 500, {}, { kind: 'unknown' }],
    ['a page of a proxy that comes with 200', 200, { page: 'welcome' }, { kind: 'unknown' }],
  ])('%s', async (_what, status, body, outcome) => {
    answer = body;
    provider.nextOnly({ act: 'answer', status });
    expect(await send()).toMatchObject(outcome);
  });
});

const notification = (message: Buffer) => fromSns(topicArn, { Type: 'Notification', MessageId: 'an-id', Message: message.toString() }, atMs);

describe('an event', () => {
  const read = (message: Buffer) => {
    const found = sesReceiver.receive(notification(message), [topicArn], aStore);
    return found.kind === 'events' ? found.events : found.kind;
  };
  const message = { account: 'ses:main', providerMessageId: messageId, sendKey };

  test('of a permanent bounce closes the address, of a transient one does not', () => {
    expect(read(bounce('Permanent', 'Suppressed'))).toMatchObject([
      { type: 'message.failed', message, permanent: true, detail: 'bounced Permanent Suppressed' },
    ]);
    expect(read(bounce('Transient', 'MailboxFull'))).toMatchObject([{ type: 'message.failed', permanent: false }]);
    expect(read(bounce('Undetermined', 'Undetermined'))).toMatchObject([{ type: 'message.failed', permanent: false }]);
  });

  test('of a complaint is final for its person; one that was not sent because of an earlier one is a failure', () => {
    expect(read(complaint())).toMatchObject([
      { type: 'message.delivered', message },
      { type: 'contact.opted_out', person: { email: 'ada@example.com' }, channel: 'email', final: true },
    ]);
    expect(read(complaint({ complaintFeedbackType: 'not-spam' }))).toMatchObject([{ type: 'message.delivered' }]);
    expect(read(complaint({ complaintSubType: 'OnAccountSuppressionList' }))).toMatchObject([{ type: 'message.failed', permanent: true }]);
  });

  test('of a rejected message is a failure of that message; opens, clicks and delays are ignored', () => {
    expect(read(told('Reject', { reject: { reason: 'Bad content' } }))).toMatchObject([
      { type: 'message.failed', permanent: false, detail: 'rejected Bad content' },
    ]);
    for (const kind of ['Send', 'Open', 'Click', 'DeliveryDelay', 'Rendering Failure']) expect(read(told(kind))).toBe('ignored');
  });

  test('of a message that somebody else sent by the account waits for none of ours, and its complaint counts', () => {
    expect(read(told('Delivery', { delivery: {} }, {}))).toBe('ignored');
    expect(read(complaint({}, {}))).toMatchObject([{ type: 'contact.opted_out', final: true }]);
  });

  test('as the identity’s own feedback is read as well', () => {
    const { eventType, ...rest } = JSON.parse(complaint().toString()) as Record<string, unknown>;
    expect(read(Buffer.from(JSON.stringify({ notificationType: eventType, ...rest })))).toMatchObject([{}, { type: 'contact.opted_out' }]);
  });
});

describe('a delivery of SNS', () => {
  const altered = (change: Record<string, unknown>): Delivery => {
    const whole = notification(complaint());
    return { ...whole, raw: Buffer.from(JSON.stringify({ ...(JSON.parse(whole.raw.toString()) as object), ...change })) };
  };

  test('is authentic with its signature, and with none of its signed fields changed', () => {
    expect(verifySns(altered({}), [topicArn])).toBeNull();
    for (const name of ['Message', 'MessageId', 'Timestamp', 'Type', 'TopicArn', 'Subject', 'Signature', 'SignatureVersion'])
      expect(verifySns(altered({ [name]: '1' }), [topicArn]), name).toBe('bad_signature');
    expect(verifySns(altered({ Signature: undefined }), [topicArn])).toBe('missing_signature');
  });

  test('of another topic is refused, though Amazon has signed it', () => {
    const delivery = fromSns('arn:aws:sns:eu-west-1:210987654321:a-stranger', { Type: 'Notification', MessageId: 'x', Message: '{}' }, atMs);
    expect(verifySns(delivery, [topicArn])).toBe('bad_signature');
  });

  test('that is older than Amazon repeats is refused', () => {
    expect(verifySns({ ...altered({}), receivedAtMs: atMs + 26 * 3_600_000 }, [topicArn])).toBe('stale');
    expect(verifySns({ ...altered({}), receivedAtMs: atMs - 6 * 60_000 }, [topicArn])).toBe('stale');
  });

  const elsewhere = [
    'https://sns.eu-west-1.amazonaws.com.evil.example/x.pem',
    'https://evil.example/sns.eu-west-1.amazonaws.com/x.pem',
    'http://sns.eu-west-1.amazonaws.com/x.pem',
    'https://sns.eu-west-1.amazonaws.com:8443/x.pem',
    'https://evil.example@sns.eu-west-1.amazonaws.com/x.pem',
    'https://s3.eu-west-1.amazonaws.com/x.pem',
    'https://sns.eu-west-1.amazonaws.com/x.txt',
    'file:///etc/passwd',
    7,
  ];
  test.each(elsewhere)('whose certificate lies at %s is refused, and nothing is fetched', async (url) => {
    let fetched = 0;
    const certificates = createCertificates(async () => {
      fetched += 1;
      return new Response(certificate);
    });
    expect(await certificates(altered({ SigningCertURL: url }), [topicArn])).toBeNull();
    expect(verifySns(altered({ SigningCertURL: url }), [topicArn])).toBe('bad_signature');
    expect(fetched).toBe(0);
  });

  test('has its certificate fetched once; a stranger’s has none fetched', async () => {
    const fetched: string[] = [];
    const certificates = createCertificates(async (url) => {
      fetched.push(hrefOf(url));
      return new Response(certificate);
    });
    const found = await Promise.all([certificates(altered({}), [topicArn]), certificates(altered({ MessageId: 'b' }), [topicArn])]);
    expect(found).toEqual([certificate, certificate]);
    expect(await certificates(altered({}), [`${topicArn}-another`])).toBeNull();
    expect(fetched).toEqual([certificateUrl]);
  });

  test('whose certificate cannot be fetched now is not decided, and tried again', async () => {
    const answers = [new Response('busy', { status: 503 }), new Response('<html>'), new Response(certificate)];
    const certificates = createCertificates(async () => answers.shift() ?? Response.error());
    await expect(certificates(altered({}), [topicArn])).rejects.toThrow('no certificate');
    await expect(certificates(altered({}), [topicArn])).rejects.toThrow('no certificate');
    expect(await certificates(altered({}), [topicArn])).toBe(certificate);
  });

  type Vectors = { publicKeyPem: string; vectors: { name: string; message: Record<string, string>; valid: boolean }[] };
  const vectors = providerSpec('email-ses/sns-vectors.json') as Vectors | null;
  test.skipIf(vectors === null)('is verified as the published rules have it, by both versions of the signature', () => {
    for (const { name, message, valid } of vectors?.vectors ?? []) {
      const raw = Buffer.from(JSON.stringify(message));
      const delivery = {
        ...posted({ raw, headers: {}, receivedAtMs: Date.parse(String(message['Timestamp'])) }),
        certificate: vectors?.publicKeyPem ?? '',
      };
      expect(verifySns(delivery, [String(message['TopicArn'])]) === null, name).toBe(valid);
    }
    expect(vectors?.vectors.length).toBeGreaterThan(4);
  });
});

describe('a subscription', () => {
  const subscribeUrl = `https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=${topicArn}&Token=2336412f37`;
  const asked = (url: string) =>
    fromSns(
      topicArn,
      { Type: 'SubscriptionConfirmation', MessageId: 'an-id', Message: 'You have chosen …', Token: '2336412f37', SubscribeURL: url },
      atMs,
    );
  let server: Server;
  let calls: string[];
  let status: number;
  beforeEach(async () => {
    calls = [];
    status = 200;
    server = createServer((req, res) => {
      calls.push(req.url ?? '');
      res.writeHead(status).end('<ConfirmSubscriptionResponse/>');
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  });
  afterEach(() => new Promise((done) => server.close(done)));
  /** Amazon's host, on loopback: the path and the query arrive as they were asked for. */
  const get: typeof fetch = (input, init) => {
    const { pathname, search } = new URL(hrefOf(input));
    return fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}${search}`, init);
  };

  const lookupOf = (url: string) => {
    const found = sesReceiver.receive(asked(url), [topicArn], aStore);
    return found.kind === 'events' ? (found.lookups?.[0] ?? null) : found.kind;
  };

  test('is confirmed at the address that SNS names, after the delivery was answered', async () => {
    const lookup = lookupOf(subscribeUrl);
    if (lookup === null || typeof lookup === 'string') throw new Error('nothing to look up');
    expect(await confirmSubscription(lookup, undefined, get)).toEqual({ kind: 'ignored', topic: 'SubscriptionConfirmation' });
    expect(calls).toEqual([`/${new URL(subscribeUrl).search}`]);
    status = 500;
    expect(await confirmSubscription(lookup, undefined, get)).toMatchObject({ kind: 'later' });
    status = 400;
    expect(await confirmSubscription(lookup, undefined, get)).toMatchObject({
      kind: 'unreadable',
      reason: expect.stringContaining('three days') as unknown,
    });
  });

  test.each([
    'https://sns.eu-west-1.amazonaws.com.evil.example/?Action=ConfirmSubscription&Token=1',
    'http://169.254.169.254/?Action=ConfirmSubscription&Token=1',
    'https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe&Token=1',
  ])('is confirmed nowhere else: %s', async (url) => {
    expect(lookupOf(url)).toBe('unreadable');
    expect(confirmationOf({ SubscribeURL: url })).toBeNull();
    const lookup = { key: 'confirm:1', topic: 'SubscriptionConfirmation', what: { url } };
    expect(await confirmSubscription(lookup, undefined, get)).toMatchObject({ kind: 'unreadable' });
    expect(calls).toEqual([]);
  });

  test('counts once for each token, however often SNS asks', () => {
    const key = `confirm:${createHash('sha256').update('x').digest('hex')}`;
    expect(lookupOf(subscribeUrl.replace('2336412f37', 'b'))).not.toMatchObject({ key });
    expect(lookupOf(subscribeUrl)).toMatchObject({ key: 'confirm:2336412f37' });
  });
});
