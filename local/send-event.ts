import { minorDigits } from '../domain/money.ts';
import { toMinor } from '../integrations/money.ts';
import { StartError } from './start-error.ts';

export const sendableEvents = [
  'cart.updated',
  'order.placed',
  'order.cancelled',
  'contact.updated',
  'message.received',
  'contact.opted_out',
  'contact.opted_in',
] as const;
export type SendableEvent = (typeof sendableEvents)[number];

/** The options of `npm run send`; `undefined`: not given. */
export interface SendOptions {
  event: SendableEvent;
  email?: string | undefined;
  phone?: string | undefined;
  name?: string | undefined;
  locale?: string | undefined;
  timeZone?: string | undefined;
  value?: string | undefined;
  currency?: string | undefined;
  products: string[];
  image?: string | undefined;
  cart?: string | undefined;
  order?: string | undefined;
  text?: string | undefined;
  channel?: string | undefined;
  wording?: string | undefined;
  final: boolean;
}

/** What was sent for a person before: an order finds the cart by it. */
export interface Remembered {
  cart: string | null;
  order: string | null;
  value: string | null;
  currency: string | null;
}
export const nothingRemembered: Remembered = { cart: null, order: null, value: null, currency: null };

/** Ids for things without one, and the demo shop's address for pictures and restore links (null: it does not run). */
export interface SendContext {
  newId(): string;
  shopUrl: string | null;
}

/** One event in both formats: neutral facts, from which either body is written. */
export interface PreparedEvent {
  generic: { type: SendableEvent; data: unknown };
  /** null: Shopify has no such webhook. */
  shopify: { topic: string; payload: unknown } | null;
  remember: Remembered;
}

/**
 * Fill in missing options and write the event.
 * @param nowMs - wall clock, epoch milliseconds
 * @throws StartError naming what is missing or wrong, with an example
 */
export function prepareEvent(options: SendOptions, before: Remembered, context: SendContext, nowMs: number): PreparedEvent {
  const remember = {
    cart: options.cart ?? before.cart ?? `cart_${context.newId()}`,
    order: before.order,
    value: options.value ?? before.value ?? '129.90',
    currency: (options.currency ?? before.currency ?? 'EUR').toUpperCase(),
  };
  const contact = contactOf(options);
  switch (options.event) {
    case 'cart.updated':
      return cartUpdated(options, remember, contact, context, nowMs);
    case 'order.placed':
      return orderPlaced(options, { ...remember, cart: options.cart ?? before.cart, order: options.order ?? newOrder(nowMs) }, contact, nowMs);
    case 'order.cancelled': {
      const order = options.order ?? before.order;
      if (order === null) throw new StartError('Which order? npm run send -- order.cancelled --order 1001 (or send order.placed before).');
      const at = new Date(nowMs).toISOString();
      const shopify = { topic: 'orders/cancelled', payload: { id: order, cancelled_at: at, updated_at: at } };
      return { generic: { type: options.event, data: { order: { id: order } } }, shopify, remember: before };
    }
    case 'contact.updated':
      return { generic: { type: options.event, data: { contact: needed(contact, options.event) } }, shopify: null, remember: before };
    case 'message.received': {
      const data = {
        contact: needed(contact, options.event),
        channel: options.channel ?? 'email',
        text: options.text ?? 'I have a question about my cart.',
      };
      return { generic: { type: options.event, data }, shopify: null, remember: before };
    }
    case 'contact.opted_out': {
      const data = { contact: needed(contact, options.event), channel: options.channel ?? 'all', final: options.final, source: 'npm run send' };
      return { generic: { type: options.event, data }, shopify: null, remember: before };
    }
    case 'contact.opted_in': {
      const wording = options.wording ?? 'Yes, send me news and offers.';
      const data = { contact: needed(contact, options.event), channel: options.channel ?? 'email', source: 'npm run send', wording };
      return { generic: { type: options.event, data }, shopify: null, remember: before };
    }
  }
}

type Contact = Record<string, string>;
type Filled = { cart: string; order: string | null; value: string; currency: string };

function cartUpdated(options: SendOptions, filled: Filled, contact: Contact, context: SendContext, nowMs: number): PreparedEvent {
  const items = itemsOf(options, filled, context.shopUrl);
  const restoreUrl = context.shopUrl === null ? undefined : `${context.shopUrl}/cart/${encodeURIComponent(filled.cart)}`;
  const total = exact(filled.value, filled.currency);
  const cart = { id: filled.cart, currency: filled.currency, total, items, ...(restoreUrl === undefined ? {} : { restore_url: restoreUrl }) };
  const at = new Date(nowMs).toISOString();
  const payload = {
    id: filled.cart,
    token: filled.cart,
    ...shopifyPerson(contact),
    currency: filled.currency,
    presentment_currency: filled.currency,
    total_price: total,
    line_items: items,
    ...(restoreUrl === undefined ? {} : { abandoned_checkout_url: restoreUrl }),
    created_at: at,
    updated_at: at,
  };
  return {
    generic: { type: 'cart.updated', data: { cart, ...(Object.keys(contact).length > 0 ? { contact } : {}) } },
    shopify: { topic: 'checkouts/update', payload },
    remember: filled,
  };
}

function orderPlaced(
  options: SendOptions,
  filled: Omit<Filled, 'cart' | 'order'> & { cart: string | null; order: string },
  contact: Contact,
  nowMs: number,
): PreparedEvent {
  if (filled.cart === null && Object.keys(contact).length === 0) throw new StartError(`Whose order? ${example(options.event)}`);
  const total = exact(filled.value, filled.currency);
  const order = { id: filled.order, currency: filled.currency, total };
  const at = new Date(nowMs).toISOString();
  const payload = {
    id: filled.order,
    ...(filled.cart === null ? {} : { checkout_token: filled.cart }),
    ...shopifyPerson(contact),
    currency: filled.currency,
    total_price: total,
    created_at: at,
    updated_at: at,
  };
  return {
    generic: {
      type: 'order.placed',
      data: { order, ...(filled.cart === null ? {} : { cart_id: filled.cart }), ...(Object.keys(contact).length > 0 ? { contact } : {}) },
    },
    shopify: { topic: 'orders/create', payload },
    // The next cart of this person gets a new id.
    remember: { ...filled, cart: null },
  };
}

function contactOf(options: SendOptions): Contact {
  const [first, ...rest] = (options.name ?? '').split(' ').filter(Boolean);
  const fields = {
    email: options.email,
    phone: options.phone,
    first_name: first,
    last_name: rest.length > 0 ? rest.join(' ') : undefined,
    locale: options.locale,
    time_zone: options.timeZone,
  };
  return Object.fromEntries(Object.entries(fields).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
}

function shopifyPerson(contact: Contact): Record<string, unknown> {
  const { email = null, phone = null, first_name, last_name, locale } = contact;
  return { email, phone, customer_locale: locale, customer: { email, phone, first_name, last_name }, shipping_address: [] };
}

function needed(contact: Contact, event: SendableEvent): Contact {
  if (contact.email === undefined && contact.phone === undefined) throw new StartError(`For whom? ${example(event)}`);
  return contact;
}

/** Split the cart's value over its products, to the last cent. */
function itemsOf(options: SendOptions, filled: Filled, shopUrl: string | null): Record<string, string | number>[] {
  const titles = options.products.length > 0 ? options.products : ['Linen apron, moss'];
  const total = toMinor(filled.value, filled.currency, 'refuse');
  if (total === null) exact(filled.value, filled.currency);
  const share = Math.floor((total ?? 0) / titles.length);
  return titles.map((title, index) => {
    const minor = index === 0 ? (total ?? 0) - share * (titles.length - 1) : share;
    const image = options.image ?? (shopUrl === null ? undefined : `${shopUrl}/pictures/${encodeURIComponent(title)}.svg`);
    return { title, quantity: 1, price: major(minor, filled.currency), ...(image === undefined ? {} : { image_url: image }) };
  });
}

function exact(value: string, currency: string): string {
  const digits = minorDigits(currency);
  if (digits === null) throw new StartError(`--currency ${currency} is no currency. Use a code of three letters, e.g. EUR.`);
  if (toMinor(value, currency, 'refuse') !== null) return value;
  throw new StartError(`--value ${value} is no amount of ${currency}. Use e.g. ${digits === 0 ? '12900' : '129.90'}.`);
}

function major(minor: number, currency: string): string {
  const digits = minorDigits(currency) ?? 2;
  const text = String(minor).padStart(digits + 1, '0');
  return digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

function newOrder(nowMs: number): string {
  return String(nowMs);
}

/** The command line of an event, for messages. */
export function example(event: SendableEvent): string {
  const more =
    { 'cart.updated': ' --value 129.90', 'order.cancelled': ' --order 1001', 'message.received': ' --text "Is it in stock?"' }[event as string] ?? '';
  return `npm run send -- ${event} --email you@example.com${more}`;
}
