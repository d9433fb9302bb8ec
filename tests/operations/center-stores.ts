import { randomUUID } from 'node:crypto';
import { signStandardWebhook } from '../../integrations/standard-webhooks.ts';
import { signTwilioForm } from '../../integrations/twilio/sign.ts';
import { createConnection } from '../../operations/connections.ts';
import type { Shop } from '../helpers/shop.ts';
import { type Dialect, startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import * as instantly from '../integrations/instantly/conformance.ts';
import * as resend from '../integrations/resend/conformance.ts';
import * as gateway from '../integrations/sms-http/conformance.ts';
import * as twilio from '../integrations/twilio/conformance.ts';
import { inbound, status } from '../integrations/twilio/deliveries.ts';
import * as vapi from '../integrations/vapi/conformance.ts';

/** A message of somebody’s, as what is reported about it names it. */
export interface SentMessage {
  /** The send key. */
  key: string;
  providerId: string;
  /** The address or number that it went to. */
  to: string;
}

/** What a report means. `proves`: it arrived. `fails`: it did not. `closes`: nothing more may go to that address on the channel, or to the person at all. */
export interface Meaning {
  proves?: true;
  fails?: true;
  closes?: 'channel' | 'person';
  /** Reports of one kind about a message are one delivery: each after the first is taken for its repeat. Absent: its name. */
  kind?: string;
}

interface Delivered {
  url: string;
  headers: Record<string, string>;
  payload: string;
}

/** One channel of a store: a provider that takes everything, and what it reports afterwards. */
export interface ProviderOfStore {
  /** How many messages to an address it took. */
  tookFor(address: string): number;
  /** What it may report, about a message or about a person. */
  reports: Readonly<Record<string, Meaning & { about: 'message' | 'person'; deliver(of: SentMessage): Delivered }>>;
  stop(): Promise<void>;
}

export type StoreChannel = 'email' | 'sms' | 'call';
export type Providers = Record<StoreChannel, ProviderOfStore>;

const svix = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

/** Connect a provider by a configuration of the store’s own. @returns the path of its webhook */
async function connect(shop: Shop, integration: string, config: object, secrets: string[]): Promise<string> {
  const made = await createConnection(shop.deps, shop.tenant.tenantId, { integration, name: integration, config, secrets }, 'a test');
  if (made.kind !== 'created') throw new Error(JSON.stringify(made));
  return `/api/webhooks/${integration}/${made.connection.id}`;
}

/** A far end that gives each message an id of its own. */
function startFarEnd(knowsKeys: boolean, dialect: Dialect, bodyOf: (n: number) => Record<string, unknown>): Promise<StubProvider> {
  let made = 0;
  const taken = {
    status: dialect.taken.status,
    get body() {
      made += 1;
      return bodyOf(made);
    },
  };
  return startStubProvider(knowsKeys, Object.defineProperty({ ...dialect }, 'taken', { value: taken }) as Dialect);
}

const json = { 'content-type': 'application/json' };
const isIn = (needle: string) => (accepted: { body: string; key: string }) => accepted.body.includes(needle) || accepted.key.includes(needle);
const countOf = (far: StubProvider, needle: string) => far.accepted.filter(isIn(needle)).length;

async function emailsByResend(shop: Shop): Promise<ProviderOfStore> {
  const far = await startFarEnd(true, resend.resendDialect, () => ({ id: randomUUID() }));
  const url = await connect(shop, 'resend', resend.testConfig(far.port), [svix]);
  const told =
    (type: string, data: object = {}) =>
    (of: SentMessage) => {
      const payload = resend.receipt(type, { email_id: of.providerId, to: [of.to], created_at: new Date().toISOString(), ...data }).toString();
      // Told again, it has the same id.
      const [id, atS] = [`${type} ${of.providerId}`, Math.floor(Date.now() / 1_000)];
      return {
        url,
        headers: { ...json, 'svix-id': id, 'svix-timestamp': String(atS), 'svix-signature': signStandardWebhook(svix, id, atS, payload) },
        payload,
      };
    };
  const bounce = (type: string) => ({ bounce: { type, subType: 'General', message: 'An invented sentence.' } });
  return {
    tookFor: (address) => countOf(far, address),
    reports: {
      opened: { about: 'message', deliver: told('email.opened') },
      delivered: { about: 'message', proves: true, deliver: told('email.delivered') },
      bounced_for_now: { about: 'message', fails: true, deliver: told('email.bounced', bounce('Transient')) },
      bounced: { about: 'message', fails: true, closes: 'channel', deliver: told('email.bounced', bounce('Permanent')) },
      // Nobody complains about what did not arrive.
      complained: { about: 'message', proves: true, closes: 'person', deliver: told('email.complained') },
    },
    stop: () => far.stop(),
  };
}

async function emailsByInstantly(shop: Shop): Promise<ProviderOfStore> {
  let newest = '';
  const dialect = { ...instantly.instantlyDialect, keyOf: (_: unknown, body: string) => (newest = keyInLead(body)) };
  const far = await startFarEnd(false, dialect, (n) => ({ id: `lead-${n}`, campaign: instantly.campaign, payload: { rk_attempt: newest } }));
  const token = 'an-invented-token-of-ours';
  const url = await connect(shop, 'instantly', instantly.testConfig(far.port), [token]);
  const told =
    (type: string, fields: object = {}) =>
    ({ key, to }: SentMessage) => ({
      url,
      headers: { ...json, 'x-rekindle-token': token },
      payload: instantly
        .told(type, { lead_email: to, email_id: `em ${key}`, timestamp: new Date().toISOString(), rk_attempt: key, ...fields })
        .toString(),
    });
  return {
    tookFor: (address) => countOf(far, address),
    reports: {
      email_opened: { about: 'message', deliver: told('email_opened') },
      email_sent: { about: 'message', proves: true, deliver: told('email_sent') },
      // It does not say of what kind the bounce is.
      email_bounced: { about: 'message', fails: true, deliver: told('email_bounced') },
      auto_reply_received: { about: 'person', deliver: told('auto_reply_received', { reply_text: 'I am out of office.' }) },
      reply_received: { about: 'person', deliver: told('reply_received', { reply_text: 'I have a question about it.' }) },
      lead_unsubscribed: { about: 'person', closes: 'channel', deliver: told('lead_unsubscribed') },
    },
    stop: () => far.stop(),
  };
}
const keyInLead = (body: string) => (JSON.parse(body) as { custom_variables: Record<string, string> }).custom_variables['rk_attempt'] ?? '';

async function textsByTwilio(shop: Shop): Promise<ProviderOfStore> {
  const far = await startFarEnd(false, twilio.twilioDialect, (n) => ({
    sid: `SM${String(n).padStart(32, '0')}`,
    status: 'queued',
    error_code: null,
  }));
  const config = twilio.testConfig(far.port);
  const url = await connect(shop, 'twilio', config, []);
  const signed = (form: Buffer) => ({
    url,
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'x-twilio-signature': signTwilioForm(config.authToken, `${shop.deps.publicUrl}${url}`, form),
    },
    payload: form.toString(),
  });
  const told =
    (messageStatus: string, more: Record<string, string> = {}) =>
    ({ providerId, to }: SentMessage) =>
      signed(status(messageStatus, { MessageSid: providerId, SmsSid: providerId, To: to, ...more }));
  let texts = 0;
  const wrote =
    (text: string) =>
    ({ to }: SentMessage) => {
      const sid = `SM${`f${++texts}`.padStart(32, '0')}`;
      return signed(inbound(text, { MessageSid: sid, SmsSid: sid, SmsMessageSid: sid, From: to }));
    };
  return {
    tookFor: (address) => far.accepted.filter(({ body }) => new URLSearchParams(body).get('To') === address).length,
    reports: {
      queued: { about: 'message', deliver: told('queued') },
      sent: { about: 'message', deliver: told('sent') },
      delivered: { about: 'message', proves: true, deliver: told('delivered') },
      undelivered: { about: 'message', fails: true, deliver: told('undelivered', { ErrorCode: '30003' }) },
      no_such_number: { about: 'message', fails: true, closes: 'channel', deliver: told('undelivered', { ErrorCode: '30005' }) },
      question: { about: 'person', deliver: wrote('Is it still there?') },
      stop: { about: 'person', closes: 'channel', deliver: wrote('STOP') },
    },
    stop: () => far.stop(),
  };
}

async function textsByGateway(shop: Shop): Promise<ProviderOfStore> {
  const far = await startFarEnd(false, gateway.telecomDialect, (n) => ({ message_id: `alss-${n}` }));
  const config = gateway.telecomConfig(far.port);
  const url = `${await connect(shop, 'sms-http', config, [])}?token=${config.webhookToken}`;
  const digits = (number: string) => number.replace(/\D/g, '');
  const said = (body: object) => ({ url, headers: json, payload: JSON.stringify(body) });
  const told =
    (state: string) =>
    ({ providerId }: SentMessage) =>
      said({ messageId: providerId, status: state });
  const wrote =
    (message: string) =>
    ({ to }: SentMessage) =>
      said({ command: 'mo', ani: digits(to), dnis: '15005550006', message });
  return {
    tookFor: (address) => far.accepted.filter(({ key }) => new URL(key, 'http://x').searchParams.get('dnis') === digits(address)).length,
    reports: {
      enroute: { about: 'message', deliver: told('ENROUTE') },
      delivrd: { about: 'message', proves: true, deliver: told('DELIVRD') },
      undeliv: { about: 'message', fails: true, deliver: told('UNDELIV') },
      expired: { about: 'message', fails: true, deliver: told('expired') },
      question: { about: 'person', deliver: wrote('Is it still there?') },
      stop: { about: 'person', closes: 'channel', deliver: wrote('STOP') },
    },
    stop: () => far.stop(),
  };
}

async function callsByVapi(shop: Shop): Promise<ProviderOfStore> {
  const far = await startFarEnd(false, vapi.vapiDialect, (n) => ({ id: `call-${n}`, type: 'outboundPhoneCall', status: 'queued' }));
  const url = await connect(shop, 'vapi', vapi.testConfig(far.port), [svix]);
  const ended =
    (endedReason: string, transcript?: string) =>
    ({ key, providerId, to }: SentMessage) => {
      const about = transcript === undefined ? { type: 'status-update', status: 'ended' } : { type: 'end-of-call-report', artifact: { transcript } };
      const call = { id: providerId, customer: { number: to }, assistantOverrides: { metadata: { rekindle_account: 'main', rekindle_key: key } } };
      const payload = JSON.stringify({ message: { ...about, endedReason, timestamp: Date.now(), call } });
      const atS = Math.floor(Date.now() / 1_000);
      return {
        url,
        headers: { ...json, 'webhook-id': 'x', 'webhook-timestamp': String(atS), 'webhook-signature': signStandardWebhook(svix, 'x', atS, payload) },
        payload,
      };
    };
  const spoke = (words: string) => ended('customer-ended-call', `AI: Hello.\nUser: ${words}`);
  return {
    tookFor: (address) => countOf(far, address),
    reports: {
      answered: { about: 'message', kind: 'report', proves: true, deliver: spoke('Yes, that sounds good.') },
      not_reached: { about: 'message', fails: true, deliver: ended('customer-did-not-answer') },
      stop_calling: { about: 'message', kind: 'report', proves: true, closes: 'channel', deliver: spoke('Stop calling me.') },
      later: { about: 'message', kind: 'report', proves: true, deliver: spoke('Call me back in three hours.') },
    },
    stop: () => far.stop(),
  };
}

/** Two ways in which stores are connected: all of these providers report what became of messages. */
export const waysToConnect: readonly ((shop: Shop) => Promise<Providers>)[] = [
  async (shop) => ({ email: await emailsByResend(shop), sms: await textsByTwilio(shop), call: await callsByVapi(shop) }),
  async (shop) => ({ email: await emailsByInstantly(shop), sms: await textsByGateway(shop), call: await callsByVapi(shop) }),
];
