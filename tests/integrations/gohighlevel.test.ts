import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { goHighLevelConfig } from '../../integrations/gohighlevel/config.ts';
import { goHighLevelReceiver } from '../../integrations/gohighlevel/receive.ts';
import type { Payload, SmsPayload, WhatsappPayload } from '../../integrations/port.ts';
import { textOfHtml } from '../../integrations/read/html.ts';
import { posted } from '../helpers/a-delivery.ts';
import { faultsBy, providerSpec } from '../helpers/provider-spec.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import {
  aContact,
  anEmail,
  aText,
  aWhatsapp,
  aWorkflow,
  config,
  contactId,
  ghlStore,
  goHighLevelDialect,
  inboundText,
  locationId,
  messageId,
  outboundText,
  senderOf,
  signGoHighLevel,
  told,
  workflowId,
} from './gohighlevel/conformance.ts';
import { deadlineIn } from './sender-conformance.ts';

const spec = providerSpec('gohighlevel/openapi-v3.json');

interface Asked {
  method: string | undefined;
  url: string | undefined;
  version: string | string[] | undefined;
  authorization: string | undefined;
  body: unknown;
}

describe('a message', () => {
  let provider: StubProvider;
  let asked: Asked[];
  let answer: Record<string, unknown> | null;
  /** What a question is answered with instead of the truth. */
  let instead: ((url: string) => Record<string, unknown> | null) | null;
  beforeEach(async () => {
    asked = [];
    answer = instead = null;
    const note = (
      { method, url, headers }: { method?: string | undefined; url?: string | undefined; headers: NodeJS.Dict<string | string[]> },
      body: unknown,
    ) => asked.push({ method, url, version: headers['version'], authorization: headers['authorization'] as string | undefined, body });
    provider = await startStubProvider(false, {
      ...goHighLevelDialect,
      bodyOf: (status) => answer ?? goHighLevelDialect.bodyOf(status),
      keyOf: (request, body) => {
        note(request, JSON.parse(body));
        return goHighLevelDialect.keyOf(request, body);
      },
      tell: (accepted, request) => {
        note(request, null);
        return instead?.(request.url ?? '') ?? goHighLevelDialect.tell(accepted, request);
      },
    });
  });
  afterEach(() => provider.stop());

  const send = async (payload: Payload, more: object = {}) =>
    (await senderOf(provider.port, payload.channel as 'sms', more).open()).send(payload as SmsPayload, 'e:s', deadlineIn(5_000));
  const find = (payload: Payload) => {
    const { reconciliation } = senderOf(provider.port, payload.channel as 'sms');
    return reconciliation.kind === 'find' ? reconciliation.find('e:s', payload as SmsPayload) : null;
  };
  const sent = () => asked.at(-1)?.body as Record<string, unknown>;

  test('goes to the contact of its address, which is found or made first, by the one version of the API', async () => {
    expect(await send(aText('k'))).toEqual({ kind: 'accepted', providerMessageId: messageId, response: 'HTTP 200' });
    const common = { version: 'v3', authorization: 'Bearer pit-an-invented-token', method: 'POST' };
    expect(asked).toMatchObject([
      { ...common, url: '/contacts/upsert' },
      { ...common, url: '/conversations/messages' },
    ]);
    expect(sent()).toEqual({ type: 'SMS', contactId, message: aText('k').text, toNumber: '+12025550143' });
  });

  test('of the same address does not look for its contact again, until one is refused', async () => {
    const sender = senderOf(provider.port, 'sms');
    const again = async () => (await sender.open()).send(aText('k'), 'e:s', deadlineIn(5_000));
    await again();
    await again();
    expect(asked.map(({ url }) => url)).toEqual(['/contacts/upsert', '/conversations/messages', '/conversations/messages']);
    provider.nextOnly({ act: 'answer', status: 404 });
    expect(await again()).toMatchObject({ kind: 'refused', severity: 'soft' });
    await again();
    expect(asked.at(-2)?.url).toBe('/contacts/upsert');
  });

  test('leaves from what the connection names', async () => {
    await send(aText('k'), { fromNumber: '+15005550006' });
    expect(sent()).toMatchObject({ fromNumber: '+15005550006' });
    await send(anEmail('k'), { emailFrom: 'hello@tea.example.com' });
    expect(sent()).toMatchObject({ type: 'Email', emailFrom: 'hello@tea.example.com', emailTo: 'ada@example.com', subject: 'Your cart is waiting' });
  });

  const schema = (path: string) => `/paths/${path.replaceAll('/', '~1')}/post/requestBody/content/application~1json/schema`;
  test.skipIf(spec === null)('is a request as the provider’s own specification has it, on each channel', async () => {
    for (const payload of [aText('k'), anEmail('k'), aWhatsapp('k')]) {
      asked.length = 0;
      await send(payload, { fromNumber: '+15005550006', emailFrom: 'hello@tea.example.com' });
      const [search, message] = asked;
      expect(faultsBy(spec, schema('/conversations/messages'), message?.body)).toEqual([]);
      if (search?.url === '/contacts/upsert' && search.body !== null) expect(faultsBy(spec, schema('/contacts/upsert'), search.body)).toEqual([]);
    }
    expect(faultsBy(spec, schema('/conversations/messages'), { type: 'Pigeon', message: 'x' })).not.toEqual([]);
  });

  test('beyond the limit of the location waits, and does not count as an attempt', async () => {
    provider.nextOnly({ act: 'answer', status: 429, headers: { 'x-ratelimit-remaining': '0' } });
    expect(await send(aText('k'))).toMatchObject({ kind: 'refused', severity: 'soft', outage: true });
  });

  const byTemplate = (language: string): WhatsappPayload => ({
    channel: 'whatsapp',
    to: '+12025550143',
    message: { form: 'template', name: 'hello', language, parameters: ['https://tea.example.com/s/abc'] },
  });
  test('by a template goes by the location’s own id of it, of its language where that has one', async () => {
    const templates = { hello: 'tpl_any', 'hello:de': 'tpl_german' };
    await send(byTemplate('en'), { templates });
    expect(sent()).toEqual({ type: 'WhatsApp', toNumber: '+12025550143', templateId: 'tpl_any', contactId });
    if (spec !== null) expect(faultsBy(spec, schema('/conversations/messages'), sent())).toEqual([]);
    await send(byTemplate('de'), { templates });
    expect(sent()).toMatchObject({ templateId: 'tpl_german' });
  });

  test('by a template that the connection does not name is not sent, and nobody is asked', async () => {
    expect(await send(byTemplate('en'), { templates: { another: 'tpl_another' } })).toMatchObject({
      kind: 'refused',
      severity: 'soft',
      response: expect.stringContaining('`templates`'),
    });
    expect(asked).toEqual([]);
  });

  test('by a template in doubt stays so: it has no link by which it would be found', async () => {
    const { reconciliation } = senderOf(provider.port, 'whatsapp', { templates: { hello: 'tpl_any' } });
    if (reconciliation.kind !== 'find') throw new Error('it is looked for');
    await expect(reconciliation.find('k', byTemplate('en'))).rejects.toThrow('no link of its own');
  });

  test.each([
    ['a person whose switch is on', 400, { message: 'Cannot send message as DND is active for SMS.' }, { kind: 'refused', severity: 'hard' }],
    ['a number that is none', 422, { message: ['phone number is invalid'] }, { kind: 'refused', severity: 'hard' }],
    ['a location without a number', 400, { message: 'No sending phone found for this location' }, { kind: 'refused', severity: 'soft' }],
    ['too many at once for somebody on the way', 429, {}, { kind: 'refused', severity: 'soft' }],
    ['a token that is not accepted', 401, {}, { kind: 'refused', severity: 'soft', outage: true }],
    ['a scope that is missing', 403, {}, { kind: 'refused', severity: 'soft', outage: true }],
    ['a fault of theirs', 500, {}, { kind: 'unknown' }],
    ['a page of a proxy that comes with 200', 200, { page: 'welcome' }, { kind: 'unknown' }],
  ])('to %s', async (_what, code, body, outcome) => {
    answer = body;
    provider.nextOnly({ act: 'answer', status: code });
    const found = await send(aText('k'));
    expect(found).toMatchObject(outcome);
    if (!('outage' in outcome)) expect(found).not.toHaveProperty('outage');
  });

  test.each([
    ['hang', 'hang' as const],
    ['fail', { status: 500 }],
    ['make no sense', 'nonsense' as const],
    ['be refused', { status: 401 }],
  ])('is certainly not sent where the questions about its contact %s', async (_what, whenAsked) => {
    provider.whenAsked = whenAsked;
    const session = await senderOf(provider.port, 'sms').open();
    expect(await session.send(aText('k'), 'e:s', deadlineIn(900))).toMatchObject({ kind: 'refused', severity: 'soft', outage: true });
    expect(provider.accepted).toEqual([]);
  });

  describe('that puts the contact into a workflow', () => {
    const upserted = (url: string) => (url.startsWith('/contacts/search') ? { contact: null } : null);

    test('finds both by their names, and makes the contact with its name where there is none', async () => {
      instead = upserted;
      expect(await send(aWorkflow())).toEqual({ kind: 'accepted', providerMessageId: null, response: 'HTTP 200' });
      expect(asked.map(({ url }) => url)).toEqual([
        `/workflows/?locationId=${locationId}`,
        `/contacts/search/duplicate?locationId=${locationId}&email=ada%40example.com`,
        '/contacts/upsert',
        `/contacts/${contactId}/workflow/${workflowId}`,
      ]);
      expect(sent()).toEqual({});
    });

    test('leaves the name of a contact that is there as it is', async () => {
      await send(aWorkflow({ to: '+12025550143', workflow: workflowId }));
      expect(asked.map(({ url }) => url)).toEqual([
        `/contacts/search/duplicate?locationId=${locationId}&number=%2B12025550143`,
        `/contacts/${contactId}/workflow/${workflowId}`,
      ]);
    });

    test.each(['A draft', 'Twice', 'Another one'])('is not sent where its name is of no one published workflow: %s', async (workflow) => {
      expect(await send(aWorkflow({ workflow }))).toMatchObject({
        kind: 'refused',
        severity: 'soft',
        response: expect.stringContaining(workflow) as string,
      });
      expect(provider.accepted).toEqual([]);
    });

    test('did not succeed where HighLevel says so, whatever the status, and says nothing by a page', async () => {
      for (const [body, kind] of [
        [{ succeeded: false }, 'refused'],
        [{ succeded: true }, 'accepted'],
        [{}, 'unknown'],
      ] as const) {
        answer = body;
        provider.nextOnly({ act: 'answer', status: 200 });
        expect((await send(aWorkflow())).kind).toBe(kind);
      }
    });

    test.skipIf(spec === null)('is a request as the provider’s own specification has it', async () => {
      instead = upserted;
      await send(aWorkflow());
      expect(faultsBy(spec, schema('/contacts/upsert'), { locationId, email: 'ada@example.com', firstName: 'Ada' })).toEqual([]);
      expect(faultsBy(spec, schema('/contacts/{contactId}/workflow/{workflowId}'), sent())).toEqual([]);
    });
  });

  describe('in doubt', () => {
    test('is found by its own link, on each channel, and others are not taken for it', async () => {
      for (const make of [aText, anEmail, aWhatsapp]) {
        expect(await find(make('mine'))).toBe('not_accepted');
        await send(make('yours'));
      }
      // The same words with another link may be ours with a link that was rewritten.
      for (const make of [aText, aWhatsapp]) await expect(find(make('mine'))).rejects.toThrow('another link');
      await expect(find(anEmail('mine'))).rejects.toThrow('other links');
      for (const make of [aText, anEmail, aWhatsapp]) {
        await send(make('mine'));
        expect(await find(make('mine'))).toBe('accepted');
      }
    });

    test('is nowhere to be found only where the whole conversation was read', async () => {
      instead = (url) => (url.startsWith('/conversations/cnv') ? { messages: { messages: [], nextPage: true, lastMessageId: 'm' } } : null);
      await expect(find(aText('k'))).rejects.toThrow('too long');
      instead = (url) => (url.startsWith('/contacts') ? { contact: null } : null);
      await expect(find(aText('k'))).rejects.toThrow('no contact');
      instead = (url) =>
        url.startsWith('/conversations/cnv') ? { messages: { messages: [{ id: 'm', direction: 'outbound' }], nextPage: false } } : null;
      await expect(find(aText('k'))).rejects.toThrow('without words');
      await expect(find(aText('k', { shortUrl: null }))).rejects.toThrow('no link');
      instead = (url) => (url.startsWith('/conversations/cnv') ? { messages: [{ id: 'm', direction: 'inbound', body: '' }], nextPage: false } : null);
      expect(await find(aText('k'))).toBe('not_accepted');
    });

    test.skipIf(spec === null)('is asked about by the parameters of the provider’s own specification', async () => {
      await send(anEmail('k'));
      asked.length = 0;
      expect(await find(anEmail('k'))).toBe('accepted');
      const paths = (spec as { paths: Record<string, { get?: { parameters: { name: string; in: string }[] } }> }).paths;
      const of = ['/contacts/search/duplicate', '/conversations/search', '/conversations/{conversationId}/messages', '/conversations/messages/{id}'];
      for (const [index, { url }] of asked.entries()) {
        const known = paths[of[index] ?? '']?.get?.parameters.filter((one) => one.in === 'query').map(({ name }) => name) ?? [];
        expect(known, url).toEqual(expect.arrayContaining([...new URL(url ?? '/', 'http://x').searchParams.keys()]));
      }
      expect(asked).toHaveLength(of.length);
    });
  });
});

const at = Date.UTC(2026, 10, 1, 10);
const delivery = (raw: Buffer, headers: Record<string, string> = {}) => posted({ raw, headers, receivedAtMs: Date.UTC(2026, 10, 24, 12) });
const read = (raw: Buffer, more: object = {}) => {
  const found = goHighLevelReceiver.reread(delivery(raw), { ...ghlStore, config: { ...config, ...more } });
  return found.kind === 'events' ? found.events : found.kind;
};

describe('a delivery', () => {
  type Vectors = {
    testPublicKeySpkiBase64: string;
    officialPublicKeySpkiBase64: string;
    vectors: { name: string; body: string; signature: string; valid: boolean }[];
  };
  const vectors = providerSpec('gohighlevel/vectors.json') as Vectors | null;
  test.skipIf(vectors === null)('is verified as the published vectors are', () => {
    for (const { name, body, signature, valid } of vectors?.vectors ?? []) {
      const store = { ...ghlStore, config: { ...config, locationId: 'loc_0001', webhookPublicKey: vectors?.testPublicKeySpkiBase64 } };
      const found = goHighLevelReceiver.receive(delivery(Buffer.from(body), { 'x-ghl-signature': signature }), ['a-token'], store);
      expect(found.kind, name).toBe(valid ? 'events' : 'refused');
    }
    const usual = goHighLevelConfig.parse({ locationId, token: 'pit-an-invented-token' });
    expect(usual.webhookPublicKey).toBe(vectors?.officialPublicKeySpkiBase64);
  });

  const received = (raw: Buffer, headers: Record<string, string>, secret = 'a-token') => {
    const found = goHighLevelReceiver.receive(delivery(raw, headers), [secret], ghlStore);
    return found.kind === 'refused' ? found.reason : found.kind;
  };
  test('without a signature needs the token of the connection, and one with a wrong signature is refused all the same', () => {
    const raw = inboundText('hello');
    expect(received(raw, { 'x-ghl-signature': signGoHighLevel(raw) })).toBe('events');
    expect(received(raw, { 'x-ghl-signature': 'N/A' })).toBe('missing_signature');
    expect(received(raw, {})).toBe('missing_signature');
    expect(received(raw, { 'x-ghl-signature': 'N/A', 'x-rekindle-token': 'a-token' })).toBe('events');
    expect(received(raw, { 'x-ghl-signature': 'N/A', 'x-rekindle-token': 'another' })).toBe('bad_signature');
    expect(received(raw, { 'x-rekindle-token': config.webhookPublicKey })).toBe('bad_signature');
    expect(received(raw, { 'x-ghl-signature': signGoHighLevel(Buffer.from('{}')), 'x-rekindle-token': 'a-token' })).toBe('bad_signature');
    // Another spelling of the same bytes.
    expect(received(raw, { 'x-ghl-signature': signGoHighLevel(raw).replace(/=+$/, '') })).toBe('bad_signature');
  });

  test('about another location says nothing, though its signature is right; nor does a signed one that names none', () => {
    for (const raw of [inboundText('STOP', { locationId: 'loc_another' }), inboundText('STOP', { locationId: undefined })])
      expect(received(raw, { 'x-ghl-signature': signGoHighLevel(raw) })).toBe('ignored');
    expect(received(inboundText('STOP', { locationId: undefined }), { 'x-rekindle-token': 'a-token' })).toBe('events');
  });

  test('is known by its webhookId when it comes again, however late', () => {
    const keyOf = (raw: Buffer) => {
      const found = goHighLevelReceiver.receive(delivery(raw, { 'x-ghl-signature': signGoHighLevel(raw) }), ['a-token'], ghlStore);
      return 'dedupeKey' in found ? found.dedupeKey : found.kind;
    };
    // Weeks after it was made.
    expect(keyOf(inboundText('hello', { timestamp: '2026-10-01T10:00:00.000Z' }))).toBe('wh_0001');
    expect(keyOf(inboundText('hello again'))).toBe('wh_0001');
    expect(keyOf(inboundText('hello', { webhookId: 'wh_0002' }))).toBe('wh_0002');
    expect(keyOf(inboundText('hello', { webhookId: undefined }))).toBeNull();
  });

  const samples = providerSpec('gohighlevel/samples.json') as { webhooks: Record<string, object> } | null;
  test.skipIf(samples === null)('of every published sample is understood', () => {
    for (const [name, sample] of Object.entries(samples?.webhooks ?? {})) {
      const found = goHighLevelReceiver.reread(delivery(Buffer.from(JSON.stringify(sample))), ghlStore);
      expect(found, name).toMatchObject({ kind: 'events', notes: [] });
    }
  });
});

describe('what people write', () => {
  const person = { externalId: contactId, phone: '+12025550143', email: null };
  test('is a reply of the contact and of the number', () => {
    expect(read(inboundText('yes please'))).toEqual([{ type: 'message.received', occurredAtMs: at, person, channel: 'sms', text: 'yes please' }]);
  });

  test('as an email is read without its markup and without what it quotes', () => {
    const body = '<style>p{}</style><div>Stop</div><br><blockquote>On Tue we wrote: buy&nbsp;tea</blockquote>';
    const fields = { messageType: 'Email', body, subject: 'Re: your cart', from: 'Ana Example <ana@example.com>', to: ['shop@example.com'] };
    expect(read(told('InboundMessage', { contactId, ...fields }))).toMatchObject([
      { channel: 'email', subject: 'Re: your cart', text: 'Stop\n\n> On Tue we wrote: buy tea', person: { email: 'ana@example.com', phone: null } },
    ]);
    expect(textOfHtml('1 < 2 & 3')).toBe('1 < 2 & 3');
    expect(textOfHtml('<p>a&#39;b&#x41;&amp;lt;</p>')).toBe("a'bA&lt;");
  });

  test.each(['FB', 'IG', 'Live_Chat', 'GMB', 'CALL', 'A new one'])('by %s is a reply by no channel of ours', (messageType) => {
    expect(read(inboundText('STOP', { messageType, from: undefined }))).toMatchObject([
      { type: 'message.received', channel: null, person: { externalId: contactId, phone: null } },
    ]);
  });

  test('without a sender is known by its contact, and without either by nobody', () => {
    expect(read(inboundText('hi', { from: undefined }))).toMatchObject([{ person: { externalId: contactId, phone: null } }]);
    expect(read(inboundText('hi', { from: undefined, contactId: undefined }))).toBe('unreadable');
  });
});

describe('what is sent to people', () => {
  test('by a colleague is theirs, by a workflow or a program automatic', () => {
    const message = { account: `gohighlevel:${locationId}`, providerMessageId: 'msg_9' };
    expect(read(outboundText('Shall we talk?', { userId: 'usr_1', source: 'app' }))).toEqual([
      {
        type: 'lead.contacted',
        occurredAtMs: at,
        keys: [],
        person: { externalId: contactId, phone: '+12025550143', email: null },
        by: 'usr_1',
        message,
      },
    ]);
    for (const source of ['workflow', 'campaign', 'api', undefined])
      expect(read(outboundText('News', { source }))).toMatchObject([
        { type: 'lead.contacted', automated: true, by: source === 'workflow' ? 'workflow' : null, message },
      ]);
  });

  test('by us is known by its links: only what became of it is news', () => {
    const ours = 'Your tea: https://rekindle.example/s/abc';
    expect(read(outboundText(ours))).toMatchObject([{ type: 'message.delivered', message: { providerMessageId: 'msg_9' } }]);
    expect(read(outboundText(ours, { status: 'undelivered' }))).toMatchObject([{ type: 'message.failed', permanent: false }]);
    expect(read(outboundText(ours, { status: 'sent' }))).toBe('ignored');
    expect(read(outboundText('https://elsewhere.example/s/abc'))).toMatchObject([{ type: 'lead.contacted' }]);
  });

  test('and did not arrive is no contact', () => {
    expect(read(outboundText('hi', { status: 'failed' }))).toMatchObject([{ type: 'message.failed' }]);
  });
});

describe('a contact', () => {
  test('is the person as they stand', () => {
    expect(read(aContact('ContactUpdate'))).toMatchObject([
      {
        type: 'contact.updated',
        occurredAtMs: at,
        person: { externalId: contactId, email: 'ana.example@example.com', phone: '+12025550143', firstName: 'Ana', country: 'US', consents: [] },
      },
    ]);
  });

  test('is a lead where the connection says so, always the one that was made with it', () => {
    const typesOf = (raw: Buffer, leads?: unknown) => (read(raw, leads === undefined ? {} : { leads }) as { type: string }[]).map(({ type }) => type);
    expect(typesOf(aContact('ContactCreate'))).not.toContain('lead.created');
    expect(typesOf(aContact('ContactCreate'), 'every_contact')).toContain('lead.created');
    expect(typesOf(aContact('ContactUpdate'), 'every_contact')).not.toContain('lead.created');
    expect(typesOf(aContact('ContactTagUpdate'), { tags: ['buyer'] })).toContain('lead.created');
    expect(typesOf(aContact('ContactTagUpdate'), { tags: ['seller'] })).not.toContain('lead.created');
    expect(read(aContact('ContactTagUpdate'), { leads: { tags: ['buyer'] } })).toMatchObject([
      {},
      { keys: [{ kind: 'lead', value: contactId }], occurredAtMs: Date.UTC(2026, 9, 31, 12, 41, 2, 193), lead: { source: 'test form' } },
    ]);
  });

  const dndOf = (more: object, type = 'ContactDndUpdate') =>
    (read(aContact(type, more)) as { type: string; channel?: string | null; dnd?: true; basis?: string }[])
      .filter(({ dnd }) => dnd)
      .map((event) => `${event.type.slice(8)} ${event.channel ?? 'all'} ${event.basis}`);
  test('that wants no messages closes all, or the channels of its switches', () => {
    expect(dndOf({ dnd: true })).toEqual(['opted_out all record']);
    expect(dndOf({ dnd: true }, 'ContactCreate')).toEqual(['opted_out all record']);
    const settings = {
      SMS: { status: 'active' },
      Email: { status: 'inactive' },
      WhatsApp: { status: 'permanent' },
      Call: { status: 'a new word' },
      GMB: { status: 'active' },
    };
    expect(dndOf({ dnd: false, dndSettings: settings })).toEqual([
      'opted_out sms record',
      'opted_in email record',
      'opted_out whatsapp record',
      'opted_out call record',
    ]);
  });

  test('whose switches are all open has opened what they closed, and one that says nothing changes nothing', () => {
    expect(dndOf({ dnd: false })).toEqual(['opted_in all record']);
    expect(dndOf({ dndSettings: { SMS: { status: 'inactive' } } })).toEqual(['opted_in all record']);
    expect(dndOf({})).toEqual([]);
  });

  test('that was deleted is closed', () => {
    expect(read(aContact('ContactDelete'))).toMatchObject([
      { type: 'contact.opted_out', channel: null, dnd: true, person: { externalId: contactId } },
    ]);
  });
});

test('a configuration that cannot be used is named', () => {
  for (const wrong of [{ locationId: 'a b' }, { token: '' }, { fromNumber: '030 123' }, { leads: 'some' }, { sends: ['pigeon'] }])
    expect(goHighLevelConfig.safeParse({ ...config, ...wrong }).success, JSON.stringify(wrong)).toBe(false);
});
