import { signStandardWebhook } from '../../integrations/standard-webhooks.ts';
import { signShopify } from '../../integrations/shopify/sign.ts';
import { signTwilioForm } from '../../integrations/twilio/sign.ts';
import type { Names, PlannedDelivery, ShopEvent } from './shopper.ts';
import { type LeadAccess, leadLine, type StoreAccess } from './stores.ts';

/** One webhook as its sender makes it (docs/webhooks.md): each attempt is signed anew and carries the same id and body. */
export interface Webhook {
  method: 'GET' | 'POST';
  path: string;
  payload: string;
  sign(nowMs: number): Record<string, string>;
}

type CartUpdated = Extract<ShopEvent, { type: 'cart.updated' }>;
type OrderPlaced = Extract<ShopEvent, { type: 'order.placed' }>;

/** Whether it comes in Shopify's format: a store with Shopify tells replies and opt-outs, which Shopify does not know, by its own system. */
export function isToldByShopify({ store, event }: Pick<PlannedDelivery, 'store' | 'event'>): boolean {
  return store === 'shopify' && isShopifys(event);
}

type TextReceived = Extract<ShopEvent, { type: 'text.received' }>;
type CallReported = Extract<ShopEvent, { type: 'call.reported' }>;
/** What the merchant's own system tells. */
type Own = Exclude<ShopEvent, TextReceived | CallReported | { type: 'sale.reported' }>;

/** As Twilio delivers a text. */
function textOf(id: string, { names, text }: TextReceived, { texts }: LeadAccess): Webhook {
  const sid = `SM${Buffer.from(id).toString('hex').padStart(32, '0').slice(-32)}`;
  const form = { MessageSid: sid, AccountSid: leadLine.accountSid, From: names.phone ?? '', To: leadLine.from, Body: text, NumMedia: '0' };
  const payload = new URLSearchParams({ ...form, ...(text === 'STOP' ? { OptOutType: 'STOP' } : {}) }).toString();
  const signature = signTwilioForm(texts.authToken, texts.url, payload);
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signature };
  return { method: 'POST', path: texts.path, payload, sign: () => headers };
}

/** As VAPI reports a call that nobody took. */
function callReportOf(id: string, { call, to }: CallReported, { calls }: LeadAccess, wallMs: number): Webhook {
  const of = { id: call.id, type: 'outboundPhoneCall', status: 'ended', customer: { number: to }, assistantOverrides: { metadata: call.metadata } };
  const at = new Date(wallMs).toISOString();
  const report = { type: 'end-of-call-report', endedReason: 'customer-did-not-answer', startedAt: at, endedAt: at, timestamp: wallMs };
  const payload = JSON.stringify({ message: { ...report, artifact: { transcript: '', messages: [] }, analysis: {}, call: of } });
  return { method: 'POST', path: calls.path, payload, sign: (nowMs) => genericHeaders(calls.secret, id, nowMs, payload) };
}

function isShopifys(event: ShopEvent): event is CartUpdated | OrderPlaced {
  return event.type === 'cart.updated' || event.type === 'order.placed';
}

/** In Shopify's format where the store is one of Shopify's and the event one that Shopify tells; else as the merchant's own system tells it. */
export function webhookOf({ id, store, event }: PlannedDelivery, access: StoreAccess, leads: LeadAccess, wallMs: number): Webhook {
  const { shopify, generic } = access.webhooks;
  if (event.type === 'text.received') return textOf(id, event, leads);
  if (event.type === 'call.reported') return callReportOf(id, event, leads, wallMs);
  if (event.type === 'sale.reported') {
    const query = new URLSearchParams({
      subid: `click-${event.lead}`,
      sub_id: event.lead,
      status: 'sale',
      payout: '120.00',
      currency: 'USD',
      tid: id,
    });
    return { method: 'GET', path: `${leads.tracker.path}?${query.toString()}`, payload: '', sign: () => ({}) };
  }
  if (store === 'shopify' && isShopifys(event)) {
    const payload = JSON.stringify({
      ...(event.type === 'cart.updated' ? checkoutOf(event, wallMs) : shopifyOrderOf(event, wallMs)),
      ...oddShopify(id),
    });
    return { method: 'POST', path: shopify.path, payload, sign: () => shopifyHeaders(shopify.secret, id, topicOf(event), payload) };
  }
  const payload = JSON.stringify({ type: event.type, timestamp: new Date(wallMs).toISOString(), data: withOddities(id, dataOf(event, wallMs)) });
  return { method: 'POST', path: generic.path, payload, sign: (nowMs) => genericHeaders(generic.secret, id, nowMs, payload) };
}

// What real shops send besides, none of which says whom or what a delivery is about: a third of all deliveries has one of these.
const oddFields: Record<string, unknown>[] = [
  { phone: '' },
  { phone: '0000000000', customer_locale: 'de_CH_informal' },
  { customer_locale: '', shipping_address: { country: 'Deutschland', province: '', zip: 7 } },
  { billing_address: 'none', buyer_accepts_marketing: 'no' },
  { created_at: '0000-00-00 00:00:00', note: '\u0000' },
  { sms_marketing_phone: {}, tags: null },
];
const oddContacts: Record<string, unknown>[] = [
  { phone: '' },
  { locale: 'de_DE', last_name: '' },
  { country: 'Deutschland', lifetime_value: 4766.11570248 },
  { time_zone: 'Europe/Atlantis', order_count: '-1' },
  { first_name: '\u200b', marketing: [] },
  { region: {}, phone: 'call me' },
];

/** The same for each attempt of one delivery: drawn from its id. */
function oddOf<T>(id: string, all: readonly T[]): T | undefined {
  let sum = 0;
  for (const char of id) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 1_000_003;
  return all[sum % (3 * all.length)];
}

const oddShopify = (id: string): Record<string, unknown> => oddOf(id, oddFields) ?? {};

/** The number of a lead stays: texts that come from it say whose they are. */
function withOddities(id: string, data: Record<string, unknown>): Record<string, unknown> {
  const odd = oddOf(id, oddContacts);
  const contact = data['contact'];
  return odd === undefined || typeof contact !== 'object' || contact === null
    ? data
    : { ...data, contact: 'phone' in contact ? { ...odd, ...contact } : { ...contact, ...odd } };
}

const totalOf = (event: CartUpdated) => `${10 + event.revision}.90`;
/** It tells the observer which cart an email is about. */
const titleOf = (event: CartUpdated) => `Walnut lamp (${event.cart})`;
const createdAt = (event: CartUpdated, wallMs: number) => new Date(wallMs - event.ageMs).toISOString();
const restoreUrl = (event: CartUpdated) => `https://shop.example.com/restore/${event.cart}`;

/** All people in it are invented. */
function dataOf(event: Own, wallMs: number): Record<string, unknown> {
  switch (event.type) {
    case 'cart.updated': {
      const items = [{ title: titleOf(event), quantity: 1, price: totalOf(event) }];
      const cart = {
        id: event.cart,
        currency: 'EUR',
        total: totalOf(event),
        items,
        restore_url: restoreUrl(event),
        created_at: createdAt(event, wallMs),
      };
      return { cart, ...(event.names === null ? {} : { contact: { ...event.names, first_name: 'Ada' } }) };
    }
    case 'order.placed': {
      const order = { id: event.order, currency: 'EUR', total: '11.90' };
      return { order, ...(event.cart === null ? {} : { cart_id: event.cart }), ...(event.names === null ? {} : { contact: event.names }) };
    }
    case 'message.received':
      return { contact: event.names, channel: 'email', text: 'Is the lamp dimmable?' };
    case 'contact.opted_out':
      return { contact: event.names, channel: 'email', source: 'preference center' };
    case 'lead.created': {
      const lead = { id: event.lead, source: 'website', interest: `a kitchen with an island (${event.lead})`, message: 'Do you come to us?' };
      return { lead, contact: { ...event.names, first_name: 'Ada', marketing: { email: true, sms: true, call: true } } };
    }
    case 'lead.contacted':
      return { lead_id: event.lead, by: 'Bruno' };
  }
}

/** As Shopify does, absent fields are sent as null or as an empty list. */
const personOf = (names: Names | null) => ({
  email: names?.email ?? null,
  phone: null,
  shipping_address: [],
  ...(names?.id === undefined ? {} : { customer: { id: names.id, email: names.email ?? null, first_name: 'Ada' } }),
});

function checkoutOf(event: CartUpdated, wallMs: number): Record<string, unknown> {
  return {
    token: event.cart,
    cart_token: null,
    ...personOf(event.names),
    currency: 'EUR',
    presentment_currency: 'EUR',
    total_price: totalOf(event),
    line_items: [{ title: titleOf(event), presentment_title: titleOf(event), quantity: 1, price: totalOf(event) }],
    abandoned_checkout_url: restoreUrl(event),
    created_at: createdAt(event, wallMs),
    updated_at: new Date(wallMs).toISOString(),
    completed_at: null,
  };
}

function shopifyOrderOf(event: OrderPlaced, wallMs: number): Record<string, unknown> {
  const at = new Date(wallMs).toISOString();
  return {
    id: event.order,
    checkout_token: event.cart,
    ...personOf(event.names),
    currency: 'EUR',
    total_price: '11.90',
    created_at: at,
    updated_at: at,
  };
}

const topicOf = (event: CartUpdated | OrderPlaced) =>
  event.type === 'order.placed' ? 'orders/create' : event.revision === 1 ? 'checkouts/create' : 'checkouts/update';

const shopifyHeaders = (secret: string, id: string, topic: string, payload: string) => ({
  'content-type': 'application/json',
  'x-shopify-topic': topic,
  'x-shopify-webhook-id': id,
  'x-shopify-hmac-sha256': signShopify(secret, payload),
});

function genericHeaders(secret: string, id: string, nowMs: number, payload: string) {
  const seconds = Math.floor(nowMs / 1_000);
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': signStandardWebhook(secret, id, seconds, payload),
  };
}
