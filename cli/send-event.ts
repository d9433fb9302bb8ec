import { UsageError } from './command.ts';

export const sendableEvents = [
  'cart.updated',
  'order.placed',
  'order.cancelled',
  'lead.created',
  'lead.contacted',
  'contact.updated',
  'message.received',
  'contact.opted_out',
  'contact.opted_in',
] as const;
export type SendableEvent = (typeof sendableEvents)[number];

/** What `rekindle send` was asked for; `undefined`: not said. */
export interface SendOptions {
  event: SendableEvent;
  email?: string | undefined;
  phone?: string | undefined;
  name?: string | undefined;
  locale?: string | undefined;
  timeZone?: string | undefined;
  value?: string | undefined;
  currency?: string | undefined;
  products: readonly string[];
  image?: string | undefined;
  cart?: string | undefined;
  order?: string | undefined;
  lead?: string | undefined;
  interest?: string | undefined;
  text?: string | undefined;
  channel?: string | undefined;
  wording?: string | undefined;
  final: boolean;
}

/** The person's open cart, as the API knows it. */
export interface OpenCart {
  /** The shop's id of it. */
  id: string;
  value: string | null;
  currency: string | null;
}

export interface SendContext {
  /** null: none is known. */
  openCart: OpenCart | null;
  newId(): string;
  /** The demo shop's address, for pictures and restore links; null: there is none. */
  shopUrl: string | null;
}

/** An event as a webhook of the integration `generic` has it, and the ids by which it is found afterwards. */
export interface PreparedEvent {
  type: SendableEvent;
  data: Record<string, unknown>;
  cart: string | null;
  order: string | null;
  lead: string | null;
}

/** Fill in what was not said and write the event. @throws UsageError naming what is missing or wrong, with an example */
export function prepareEvent(options: SendOptions, context: SendContext): PreparedEvent {
  const contact = contactOf(options);
  const plain = (data: Record<string, unknown>): PreparedEvent => ({ type: options.event, data, cart: null, order: null, lead: null });
  switch (options.event) {
    case 'cart.updated':
      return cartUpdated(options, contact, context);
    case 'order.placed':
      return orderPlaced(options, contact, context);
    case 'order.cancelled': {
      if (options.order === undefined) throw new UsageError(`Which order? ${example(options.event)}`);
      return { ...plain({ order: { id: options.order } }), order: options.order };
    }
    case 'lead.created':
      return leadCreated(options, contact, context);
    case 'lead.contacted': {
      const lead = options.lead === undefined ? {} : { lead_id: options.lead };
      return {
        ...plain({ ...lead, ...(options.lead === undefined ? { contact: needed(contact, options.event) } : {}) }),
        lead: options.lead ?? null,
      };
    }
    case 'contact.updated':
      return plain({ contact: needed(contact, options.event) });
    case 'message.received': {
      const text = options.text ?? 'I have a question about my cart.';
      return plain({ contact: needed(contact, options.event), channel: options.channel ?? 'email', text });
    }
    case 'contact.opted_out':
      return plain({ contact: needed(contact, options.event), channel: options.channel ?? 'all', final: options.final, source });
    case 'contact.opted_in': {
      const wording = options.wording ?? 'Yes, send me news and offers.';
      return plain({ contact: needed(contact, options.event), channel: options.channel ?? 'email', source, wording });
    }
  }
}

const source = 'rekindle send';
type Contact = Record<string, unknown>;

function cartUpdated(options: SendOptions, contact: Contact, { openCart, newId, shopUrl }: SendContext): PreparedEvent {
  const id = options.cart ?? openCart?.id ?? `cart_${newId()}`;
  const { value, currency } = amountOf(options, openCart);
  const cart = {
    id,
    currency,
    total: value,
    items: itemsOf(options, value, currency, shopUrl),
    ...(shopUrl === null ? {} : { restore_url: `${shopUrl}/cart/${encodeURIComponent(id)}` }),
  };
  return { type: options.event, data: { cart, ...(Object.keys(contact).length > 0 ? { contact } : {}) }, cart: id, order: null, lead: null };
}

function orderPlaced(options: SendOptions, contact: Contact, { openCart, newId }: SendContext): PreparedEvent {
  const cart = options.cart ?? openCart?.id ?? null;
  if (cart === null && Object.keys(contact).length === 0) throw new UsageError(`Whose order? ${example(options.event)}`);
  const { value, currency } = amountOf(options, openCart);
  const id = options.order ?? `order_${newId()}`;
  const data = {
    order: { id, currency, total: value },
    ...(cart === null ? {} : { cart_id: cart }),
    ...(Object.keys(contact).length > 0 ? { contact } : {}),
  };
  return { type: options.event, data, cart, order: id, lead: null };
}

function leadCreated(options: SendOptions, contact: Contact, { newId }: SendContext): PreparedEvent {
  const id = options.lead ?? `lead_${newId()}`;
  const amount = options.value === undefined && options.currency === undefined ? {} : amountOf(options, null);
  const lead = {
    id,
    source,
    ...(options.interest === undefined ? {} : { interest: options.interest }),
    ...(options.text === undefined ? {} : { message: options.text }),
    ...amount,
  };
  return { type: options.event, data: { lead, contact: needed(contact, options.event) }, cart: null, order: null, lead: id };
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
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function needed(contact: Contact, event: SendableEvent): Contact {
  if (contact['email'] === undefined && contact['phone'] === undefined) throw new UsageError(`For whom? ${example(event)}`);
  return contact;
}

function amountOf(options: SendOptions, openCart: OpenCart | null): { value: string; currency: string } {
  const currency = (options.currency ?? openCart?.currency ?? 'EUR').toUpperCase();
  const own = openCart !== null && openCart.currency === currency ? openCart.value : null;
  const digits = digitsOf(currency);
  const value = options.value ?? own ?? (digits === 0 ? '12900' : '129.90');
  if (minorOf(value, digits) === null) {
    throw new UsageError(`--value ${value} is no amount of ${currency}. Use e.g. ${digits === 0 ? '12900' : '129.90'}.`);
  }
  return { value, currency };
}

/** How many decimals a currency has. @throws UsageError where the code is none */
function digitsOf(currency: string): number {
  if (/^[A-Z]{3}$/.test(currency) && Intl.supportedValuesOf('currency').includes(currency)) {
    return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
  }
  throw new UsageError(`--currency ${currency} is no currency. Use a code of three letters, e.g. EUR.`);
}

function minorOf(value: string, digits: number): number | null {
  const [, whole, decimals = ''] = /^(\d{1,12})(?:\.(\d+))?$/.exec(value) ?? [];
  return whole === undefined || decimals.length > digits ? null : Number(whole + decimals.padEnd(digits, '0'));
}

/** Split the cart's value over its products, to the last cent. */
function itemsOf(options: SendOptions, value: string, currency: string, shopUrl: string | null): Record<string, string | number>[] {
  const titles = options.products.length > 0 ? options.products : ['Linen apron, moss'];
  const digits = digitsOf(currency);
  const total = minorOf(value, digits) ?? 0;
  const share = Math.floor(total / titles.length);
  return titles.map((title, index) => {
    const minor = index === 0 ? total - share * (titles.length - 1) : share;
    const image = options.image ?? (shopUrl === null ? undefined : `${shopUrl}/pictures/${encodeURIComponent(title)}.svg`);
    return { title, quantity: 1, price: major(minor, digits), ...(image === undefined ? {} : { image_url: image }) };
  });
}

function major(minor: number, digits: number): string {
  const text = String(minor).padStart(digits + 1, '0');
  return digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

const more: Partial<Record<SendableEvent, string>> = {
  'cart.updated': ' --email you@example.com --value 129.90',
  'order.cancelled': ' --order 1001',
  'message.received': ' --email you@example.com --text "Is it in stock?"',
};

/** The command line of an event, for messages. */
export function example(event: SendableEvent, email = 'you@example.com'): string {
  return `rekindle send ${event}${more[event] ?? ` --email ${email}`}`;
}
