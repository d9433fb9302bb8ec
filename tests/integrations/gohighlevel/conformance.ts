import { generateKeyPairSync, sign } from 'node:crypto';
import type { CrmPayload, EmailPayload, Payload, Sender, SmsPayload, WhatsappPayload } from '../../../integrations/port.ts';
import { goHighLevelConfig } from '../../../integrations/gohighlevel/config.ts';
import { goHighLevelReceiver } from '../../../integrations/gohighlevel/receive.ts';
import type { SendDeps } from '../../../integrations/gohighlevel/send-deps.ts';
import { createGoHighLevelSenders } from '../../../integrations/gohighlevel/send.ts';
import { posted } from '../../helpers/a-delivery.ts';
import { aStore } from '../../helpers/a-store.ts';
import type { Dialect } from '../../helpers/stub-provider.ts';
import { aMail } from '../a-mail.ts';
import { startHttpFarEnd } from '../http/far-end.ts';
import type { ProviderConformance } from '../provider-conformance.ts';

export const locationId = 'loc_0001abcdefghijklmn';
export const contactId = 'con_0001abcdefghijklmn';
export const messageId = 'msg_0001';

const pair = generateKeyPairSync('ed25519');
export const webhookPublicKey = pair.publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
/** As HighLevel signs the webhooks of an app. */
export const signGoHighLevel = (raw: Buffer): string => sign(null, raw, pair.privateKey).toString('base64');

export const config = { locationId, token: 'pit-an-invented-token', webhookPublicKey };
export const testConfig = (port: number, more: object = {}) => goHighLevelConfig.parse({ ...config, baseUrl: `http://127.0.0.1:${port}`, ...more });
export const ghlStore = { ...aStore, config };

const link = (key: string) => `https://r.example/s/${Buffer.from(key).toString('hex')}`;
export function aText(key: string, more: Partial<SmsPayload> = {}): SmsPayload {
  const shortUrl = link(key);
  return { channel: 'sms', to: '+12025550143', from: null, text: `Your tea is still here: ${shortUrl}`, shortUrl, segments: 1, ...more };
}
export const aWhatsapp = (key: string): WhatsappPayload => ({
  channel: 'whatsapp',
  to: '+12025550143',
  message: { form: 'text', text: `Your tea is still here: ${link(key)}` },
});
export const anEmail = (key: string, more: Partial<EmailPayload> = {}): EmailPayload => {
  const unsubscribeUrl = `https://r.example/u/${Buffer.from(key).toString('hex')}`;
  return { ...aMail(), html: `<p>Your tea is still here.</p><a href="${unsubscribeUrl}">No more</a>`, unsubscribeUrl, ...more };
};

type Sent = Record<string, unknown>;
const read = (body: string): Sent => JSON.parse(body) as Sent;
const typeNames: Readonly<Record<string, string>> = { SMS: 'TYPE_SMS', Email: 'TYPE_EMAIL', WhatsApp: 'TYPE_WHATSAPP' };

export const workflowId = '78559bb3-b920-461e-b010-7b2a2816d2a9';
export const workflows = [
  { id: workflowId, name: 'Nudge a silent lead', status: 'published', locationId },
  { id: '88559bb3-b920-461e-b010-7b2a2816d2a9', name: 'A draft', status: 'draft', locationId },
  { id: 'wf_3', name: 'Twice', status: 'published', locationId },
  { id: 'wf_4', name: 'twice ', status: 'published', locationId },
];
export const aWorkflow = (more: Partial<CrmPayload> = {}): CrmPayload => ({
  ...{ channel: 'crm', to: 'ada@example.com', firstName: 'Ada', lastName: null, workflow: 'Nudge a silent lead' },
  ...more,
});

/** A location with one contact, and what was sent to it. */
export const goHighLevelDialect: Dialect = {
  keyOf: (request, body) => /https:\/\/r[.]example\/[su]\/([0-9a-f]+)/.exec(body)?.[1] ?? request.url ?? '',
  taken: { status: 200, body: { conversationId: 'cnv_0001', messageId, msg: 'Message queued successfully.', succeeded: true } },
  bodyOf: (status) => ({
    statusCode: status,
    message: status === 422 ? ['toNumber is not a valid phone number'] : 'An invented sentence',
    error: 'An invented name',
  }),
  isQuestion: (request) => request.url === '/contacts/upsert',
  tell(accepted, request) {
    const url = new URL(request.url ?? '/', 'http://x');
    if (url.pathname === '/workflows/') return { workflows };
    if (url.pathname.startsWith('/contacts/')) return { new: false, contact: { id: contactId, locationId } };
    if (url.pathname === '/conversations/search') return { conversations: [{ id: 'cnv_0001', contactId, locationId }], total: 1 };
    const messages = accepted
      .map(({ body, atMs }, index) => ({ ...read(body), id: `msg_${index}`, dateAdded: new Date(atMs).toISOString() }))
      .map(messageOf);
    const byId = /^\/conversations\/messages\/(msg_\d+)$/.exec(url.pathname)?.[1];
    if (byId !== undefined) return { ...messages.find(({ id }) => id === byId), body: read(accepted[Number(byId.slice(4))]?.body ?? '{}')['html'] };
    const types = (url.searchParams.get('type') ?? '').split(',');
    return { messages: { messages: messages.filter(({ messageType }) => types.includes(messageType)), nextPage: false } };
  },
};

function messageOf(sent: Sent & { id: string }) {
  const type = String(sent['type']);
  // An email is listed without its body.
  const body = type === 'Email' ? {} : { body: sent['message'] };
  return { id: sent.id, messageType: typeNames[type] ?? type, direction: 'outbound', contactId, dateAdded: sent['dateAdded'], ...body };
}

/** A delivery as HighLevel makes it. */
export function told(type: string, more: object = {}): Buffer {
  const envelope = { type, webhookId: 'wh_0001', timestamp: '2026-11-01T10:00:00.000Z', locationId };
  return Buffer.from(JSON.stringify({ ...envelope, ...more }));
}
export const inboundText = (body: string, more: object = {}) =>
  told('InboundMessage', { contactId, direction: 'inbound', messageType: 'SMS', body, from: '+12025550143', to: '+15005550006', ...more });
export const outboundText = (body: string, more: object = {}) =>
  told('OutboundMessage', {
    ...{
      contactId,
      direction: 'outbound',
      messageType: 'SMS',
      body,
      from: '+15005550006',
      to: '+12025550143',
      status: 'delivered',
      messageId: 'msg_9',
    },
    ...more,
  });
export const aContact = (type: string, more: object = {}) =>
  told(type, {
    ...{ id: contactId, email: 'ana.example@example.com', phone: '+12025550143', firstName: 'Ana', lastName: 'Example', country: 'US' },
    ...{ dateAdded: '2026-10-31T12:41:02.193Z', source: 'test form', tags: ['Buyer'] },
    ...more,
  });

const huge = 'tea'.repeat(1_000_000);
export const testTimes: SendDeps = { openTimeoutMs: 1_000, continueMs: 60_000, askTimeoutMs: 1_000 };

export function senderOf<C extends 'sms' | 'email' | 'whatsapp' | 'crm'>(port: number, channel: C, more: object = {}): Sender<C> {
  const found = createGoHighLevelSenders(testConfig(port, more), { webhookUrl: null }, testTimes).find((one) => one.channel === channel);
  if (found === undefined) throw new Error(`nothing sends by ${channel}`);
  return found as unknown as Sender<C>;
}

const harness = (channel: 'sms' | 'email' | 'whatsapp' | 'crm', payload: (size: 'ordinary' | 'another' | 'huge', key: string) => Payload) => ({
  name: `gohighlevel, ${channel}`,
  payload,
  async start() {
    const farEnd = await startHttpFarEnd(false, goHighLevelDialect, (port) => senderOf(port, channel));
    // What begins a workflow has two bytes: nothing of it stays on its way.
    return channel === 'crm' ? { ...farEnd, behaviours: farEnd.behaviours.filter((one) => one !== 'stops_reading') } : farEnd;
  },
});
const words = (size: string, text: string) => (size === 'huge' ? `${text} ${huge}` : size === 'another' ? `Another one: ${text}` : text);

/** The same words with another link may be the message with a link that was rewritten. */
const own = (key: string, text: string) => `${Buffer.from(key).toString('hex')} ${text}`;

export const conformance: ProviderConformance = {
  receiver: {
    name: 'gohighlevel',
    receiver: goHighLevelReceiver,
    store: ghlStore,
    secrets: ['an-invented-token', 'the-next-invented-token'],
    wrongSecret: 'a-stranger',
    signatureHeaders: ['x-rekindle-token'],
    // Those of an app are signed, with a key that is nobody's secret: tests/integrations/gohighlevel.test.ts.
    provesOnlySender: true,
    sign(secret, raw, { id, atMs }) {
      const body = Buffer.from(raw.toString().replace('"wh_0001"', JSON.stringify(id)));
      return posted({ raw: body, headers: { 'x-rekindle-token': secret, 'x-ghl-signature': 'N/A' }, receivedAtMs: atMs });
    },
    examples: [
      { topic: 'InboundMessage', raw: inboundText('yes please') },
      {
        topic: 'InboundMessage',
        raw: told('InboundMessage', {
          contactId,
          messageType: 'Email',
          body: '<div>Testing</div>',
          subject: 'Re: your cart',
          from: 'Ana <ana@example.com>',
        }),
      },
      { topic: 'OutboundMessage', raw: outboundText('Shall we talk?', { userId: 'usr_1' }) },
      { topic: 'ContactCreate', raw: aContact('ContactCreate') },
      { topic: 'ContactDndUpdate', raw: aContact('ContactDndUpdate', { dnd: false, dndSettings: { SMS: { status: 'active' } } }) },
      { topic: 'ContactDelete', raw: aContact('ContactDelete') },
    ],
  },
  senders: [
    harness('crm', (size) => aWorkflow(size === 'ordinary' ? {} : { workflow: size === 'another' ? 'nudge a silent LEAD' : workflowId })),
    harness('sms', (size, key) => ({ ...aText(key), text: words(size, own(key, aText(key).text)) })),
    harness('email', (size, key) => ({ ...anEmail(key), html: words(size, own(key, anEmail(key).html)) })),
    harness('whatsapp', (size, key) => {
      const { message, ...rest } = aWhatsapp(key);
      return { ...rest, message: { form: 'text', text: words(size, own(key, message.form === 'text' ? message.text : '')) } };
    }),
  ],
};
