import fc from 'fast-check';
import type { DomainEvent } from '../../../domain/events.ts';

/** A delivery as a well-behaved provider sends it. */
export interface ValidDelivery {
  integration:
    | 'shopify'
    | 'woocommerce'
    | 'generic'
    | 'twilio'
    | 'resend'
    | 'sendgrid'
    | 'sms-http'
    | 'vapi'
    | 'postmark'
    | 'mailgun'
    | 'ses'
    | 'whatsapp'
    | 'telegram'
    | 'gohighlevel'
    | 'instantly'
    | 'meta'
    | 'keitaro';
  topic: string;
  body: Record<string, unknown>;
  /** What it becomes, among others. */
  type: DomainEvent['type'];
  /** Paths that say whom or what it is about, or which kind of event it is: `customer.id`. */
  about: string[];
}

/** The person and things of a delivery, all invented; the same number gives the same ones. */
export interface Cast {
  email: string;
  phone: string;
  customer: string;
  cart: string;
  order: string;
}

/** Names that nothing else in a test has. */
export function castOf(n: number, run = ''): Cast {
  return {
    email: `shopper${run}-${n}@example.com`,
    phone: `+43664${String(1_000_000 + (n % 9_000_000))}`,
    customer: `${7_206_512_345_678_000_000n + BigInt(n)}`,
    cart: `cart${run}-${n}`,
    order: `${820_982_911_946_000_000n + BigInt(n)}`,
  };
}

const currencies = fc.constantFrom('EUR', 'USD', 'JPY', 'KWD', 'CZK');
const cents = fc.integer({ min: 1, max: 500_000 }).map((n) => (n / 100).toFixed(2));
const titles = fc.constantFrom('Assam, second flush', 'Tin, brushed steel', 'Крем', '羊毛', 'زيت زيتون', '👩‍🍳 apron');
const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const url = fc.constantFrom('https://tea.example.com/assam', 'https://cdn.example.com/a.png');

/** @param atMs - when it happened */
function times(atMs: number) {
  return {
    created_at: new Date(atMs - 60_000).toISOString().replace(/\.\d+Z/, '+00:00'),
    updated_at: new Date(atMs).toISOString().replace(/\.\d+Z/, '+00:00'),
  };
}

const address = fc.record({
  first_name: fc.constantFrom('Ada', 'Bo', ''),
  last_name: fc.constantFrom('Example', ''),
  country: fc.constantFrom('Austria', 'Germany'),
  country_code: fc.constantFrom('AT', 'DE', 'US'),
  province_code: orNull(fc.constantFrom('9', 'CA')),
});

const consent = orNull(
  fc.record({
    state: fc.constantFrom('subscribed', 'not_subscribed', 'pending'),
    opt_in_level: orNull(fc.constantFrom('single_opt_in', 'confirmed_opt_in')),
    consent_updated_at: orNull(fc.constant('2026-01-01T00:00:00+00:00')),
  }),
);

const shopifyCustomer = (cast: Cast) =>
  fc.record({
    id: fc.constant(cast.customer),
    email: fc.constant(cast.email),
    phone: fc.constant(null),
    first_name: orNull(fc.constant('Ada')),
    last_name: orNull(fc.constant('Example')),
    orders_count: fc.nat(20),
    total_spent: cents,
    currency: currencies,
    default_address: orNull(address),
    email_marketing_consent: consent,
    sms_marketing_consent: consent,
    accepts_marketing: fc.boolean(),
  });

const shopifyLine = fc.record({
  title: titles,
  presentment_title: titles,
  variant_title: fc.constantFrom('', '250 g'),
  quantity: fc.integer({ min: 1, max: 9 }),
  price: cents,
  line_price: cents,
  compare_at_price: orNull(cents),
  product_id: fc.integer({ min: 1, max: 2 ** 40 }),
  image_url: orNull(url),
  featured_image: orNull(fc.record({ url })),
  applied_discounts: fc.constant([]),
  discount_allocations: fc.array(fc.record({ amount: fc.constant('0.10') }), { maxLength: 2 }),
  price_set: fc.constant({ shop_money: { amount: '1.00', currency_code: 'EUR' }, presentment_money: { amount: '1.00', currency_code: 'EUR' } }),
  line_price_set: fc.constant({ presentment_money: { amount: '1.00', currency_code: 'EUR' } }),
});

function shopifyPerson(cast: Cast) {
  return {
    email: fc.constant(cast.email),
    phone: fc.constant(cast.phone),
    customer: shopifyCustomer(cast),
    customer_locale: fc.constantFrom('de-AT', 'en', 'ja'),
    shipping_address: fc.oneof(fc.constant([]), address),
    billing_address: orNull(address),
    buyer_accepts_marketing: fc.constant(true),
    buyer_accepts_sms_marketing: fc.boolean(),
    sms_marketing_phone: fc.constant(null),
  };
}
const shopifyWhom = ['email', 'phone', 'sms_marketing_phone', 'customer.id', 'customer.email'];

const checkout = (cast: Cast, atMs: number) =>
  fc.record({
    id: fc.constant(cast.order),
    token: fc.constant(cast.cart),
    cart_token: fc.constant(`${cast.cart}-c`),
    ...shopifyPerson(cast),
    currency: fc.constant('EUR'),
    presentment_currency: fc.constant('EUR'),
    total_price: cents,
    line_items: fc.array(shopifyLine, { minLength: 2, maxLength: 4 }),
    abandoned_checkout_url: fc.constant(`https://tea.example.com/recover/${cast.cart}`),
    source_name: fc.constant('web'),
    user_id: fc.constant(null),
    location_id: fc.constant(null),
    completed_at: fc.constant(null),
    ...constants(times(atMs)),
  });

const order = (cast: Cast, atMs: number) =>
  fc.record({
    id: fc.constant(cast.order),
    checkout_token: fc.constant(cast.cart),
    cart_token: fc.constant(`${cast.cart}-c`),
    checkout_id: fc.constant(null),
    ...shopifyPerson(cast),
    contact_email: fc.constant(cast.email),
    currency: currencies,
    presentment_currency: currencies,
    total_price: cents,
    current_total_price: cents,
    total_price_set: fc.constant({ shop_money: { amount: '1.00', currency_code: 'EUR' } }),
    test: fc.boolean(),
    cancel_reason: fc.constant(null),
    cancelled_at: fc.constant(null),
    financial_status: fc.constantFrom('paid', 'pending'),
    processed_at: fc.constant(null),
    line_items: fc.array(shopifyLine, { maxLength: 3 }),
    refunds: fc.array(
      fc.record({ id: fc.nat(), transactions: fc.constant([{ kind: 'refund', status: 'success', amount: '1.00', currency: 'EUR' }]) }),
      { maxLength: 2 },
    ),
    ...constants({ ...times(atMs), created_at: times(atMs).updated_at }),
  });

function constants<T extends Record<string, unknown>>(values: T): { [K in keyof T]: fc.Arbitrary<T[K]> } {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, fc.constant(value)])) as { [K in keyof T]: fc.Arbitrary<T[K]> };
}

const contact = (cast: Cast) =>
  fc.record({
    id: fc.constant(`customer-${cast.customer}`),
    email: fc.constant(cast.email),
    phone: fc.constant(cast.phone),
    first_name: orNull(fc.constant('Ada')),
    last_name: orNull(fc.constant('Example')),
    locale: fc.constantFrom('de-AT', 'en'),
    time_zone: orNull(fc.constant('Europe/Vienna')),
    country: fc.constantFrom('AT', 'DE'),
    region: orNull(fc.constant('9')),
    order_count: fc.nat(20),
    lifetime_value: cents,
    currency: currencies,
    marketing: orNull(fc.record({ email: fc.constant(true), sms: fc.boolean() })),
  });

const item = fc.record({
  title: titles,
  variant: orNull(fc.constant('250 g')),
  quantity: fc.integer({ min: 1, max: 9 }),
  price: cents,
  compare_at_price: orNull(cents),
  product_id: orNull(fc.constant('p-1')),
  image_url: orNull(url),
  product_url: orNull(url),
  stock: orNull(fc.nat(9)),
});

const genericCart = (cast: Cast, atMs: number) =>
  fc.record({
    cart: fc.record({
      id: fc.constant(cast.cart),
      currency: fc.constant('EUR'),
      total: cents,
      items: fc.array(item, { minLength: 2, maxLength: 4 }),
      restore_url: fc.constant(`https://tea.example.com/cart/${cast.cart}`),
      created_at: fc.constant(new Date(atMs - 60_000).toISOString()),
      origin: orNull(fc.constant('web')),
      completed: orNull(fc.constant(false)),
    }),
    contact: contact(cast),
  });

const genericOrder = (cast: Cast) =>
  fc.record({
    order: fc.record({
      id: fc.constant(cast.order),
      currency: currencies,
      total: cents,
      items: fc.array(item, { maxLength: 2 }),
      test: fc.boolean(),
      status: orNull(fc.constant('paid')),
    }),
    cart_id: fc.constant(cast.cart),
    contact: contact(cast),
  });

const genericWhom = ['type', 'data.contact.id', 'data.contact.email', 'data.contact.phone'];

/** The same email consent topics and customers' changes carry opt-outs only where the record says so. */
const unsubscribed = { state: 'unsubscribed', opt_in_level: 'single_opt_in', consent_updated_at: '2026-11-01T10:00:00+00:00' };

type Make = (cast: Cast, atMs: number) => fc.Arbitrary<Omit<ValidDelivery, 'integration' | 'topic'>>;

const shopify: Record<string, Make> = {};
for (const topic of ['checkouts/create', 'checkouts/update'])
  shopify[topic] = (cast, atMs) =>
    checkout(cast, atMs).map((body) => ({ body, type: 'cart.updated', about: ['id', 'token', 'cart_token', ...shopifyWhom] }));
shopify['carts/update'] = (cast, atMs) =>
  fc
    .record({
      id: fc.constant(cast.cart),
      token: fc.constant(cast.cart),
      line_items: fc.array(shopifyLine, { minLength: 2, maxLength: 4 }),
      ...constants(times(atMs)),
    })
    .map((body) => ({ body, type: 'cart.updated', about: ['id', 'token'] }));
for (const topic of ['orders/create', 'orders/paid', 'orders/updated', 'orders/cancelled'])
  shopify[topic] = (cast, atMs) =>
    order(cast, atMs).map((body) => ({
      body,
      type: 'order.placed',
      about: ['checkout_token', 'cart_token', 'checkout_id', 'contact_email', ...shopifyWhom],
    }));
shopify['customers/update'] = (cast, atMs) =>
  shopifyCustomer(cast).map((customer) => ({
    body: { ...customer, ...times(atMs), email_marketing_consent: unsubscribed },
    type: 'contact.opted_out',
    about: ['id', 'email', 'phone', 'email_marketing_consent.state'],
  }));
shopify['customers_email_marketing_consent/update'] = (cast) =>
  fc.constant({
    body: { customer_id: cast.customer, email_address: cast.email, email_marketing_consent: unsubscribed },
    type: 'contact.opted_out',
    about: ['customer_id', 'email_address', 'email_marketing_consent.state'],
  });
shopify['customers_marketing_consent/update'] = (cast) =>
  fc.constant({
    body: { id: cast.customer, phone: cast.phone, sms_marketing_consent: unsubscribed },
    type: 'contact.opted_out',
    about: ['id', 'phone', 'sms_marketing_consent.state'],
  });

const generic: Record<string, (cast: Cast, atMs: number) => fc.Arbitrary<{ data: unknown; about: string[] }>> = {
  'cart.updated': (cast, atMs) => genericCart(cast, atMs).map((data) => ({ data, about: ['data.cart.id'] })),
  'order.placed': (cast) => genericOrder(cast).map((data) => ({ data, about: ['data.cart_id'] })),
  'message.received': (cast) =>
    contact(cast).map((c) => ({ data: { contact: c, channel: 'email', text: 'Is the tin dishwasher-safe?' }, about: [] })),
  'lead.created': (cast, atMs) =>
    fc
      .record({
        lead: fc.record({
          id: fc.constant(cast.cart),
          source: orNull(fc.constant('website')),
          interest: orNull(titles),
          message: orNull(titles),
          url: orNull(url),
          value: orNull(cents),
          currency: currencies,
          created_at: fc.constant(new Date(atMs - 60_000).toISOString()),
        }),
        contact: contact(cast),
      })
      .map((data) => ({ data, about: ['data.lead.id'] })),
  'behaviour.reported': (cast, atMs) =>
    fc
      .record({
        account: fc.record({ id: fc.constant(cast.cart), name: orNull(titles), url: orNull(url) }),
        contact: contact(cast),
        behaviour: fc.array(
          fc.oneof(
            fc.record({ kind: fc.constant('visit'), pages: fc.nat(20) }),
            fc.record({ kind: fc.constant('order'), id: fc.constant(cast.order), amount: cents, currency: fc.constant('EUR') }),
            fc.record({ kind: fc.constant('call'), answered: fc.boolean(), at: fc.constant(new Date(atMs - 60_000).toISOString()) }),
            fc.record({ kind: fc.constant('own'), code: fc.constant('report_exported') }),
          ),
          { minLength: 1, maxLength: 4 },
        ),
      })
      // An entry that is wrong is left out, so that each of its fields says what it is about.
      .map((data) => ({ data, about: ['data.account.id', 'data.behaviour'] })),
  'viewing.reported': (cast) =>
    fc.record({ contact: contact(cast), status: fc.constantFrom('agreed', 'cancelled') }).map(({ contact: c, status }) => ({
      data: { lead_id: cast.cart, contact: c, viewing: { id: cast.order, status } },
      about: ['data.lead_id', 'data.viewing'],
    })),
  'lead.contacted': (cast) => contact(cast).map((c) => ({ data: { lead_id: cast.cart, by: 'Bruno', contact: c }, about: ['data.lead_id'] })),
  'contact.opted_out': (cast) => contact(cast).map((c) => ({ data: { contact: c, channel: 'email', final: false, source: 'form' }, about: [] })),
};

const sids = ['MessageSid', 'SmsSid', 'SmsMessageSid', 'AccountSid'];
const text = (cast: Cast) => ({ AccountSid: 'AC00000000000000000000000000000001', MessageSid: `SM${cast.order}`, SmsSid: `SM${cast.order}` });
const twilio: Record<string, Make> = {
  inbound: (cast) =>
    fc
      .record({
        Body: fc.constantFrom('STOP', 'yes, tell me more', ''),
        OptOutType: fc.constantFrom('STOP', 'START', 'HELP'),
        NumMedia: fc.constantFrom('0', '1'),
        FromCountry: fc.constant('AT'),
        To: fc.constant('+15005550006'),
      })
      .map((fields) => ({
        body: { ...text(cast), SmsStatus: 'received', From: cast.phone, ...fields },
        type: 'message.received',
        about: [...sids, 'From'],
      })),
};
for (const [status, type] of [
  ['delivered', 'message.delivered'],
  ['undelivered', 'message.failed'],
  ['failed', 'message.failed'],
] as const)
  twilio[`status/${status}`] = (cast) =>
    fc.record({ ErrorCode: fc.constantFrom('30003', '21610', ''), RawDlrDoneDate: fc.constant('2611011000') }).map((fields) => ({
      body: { ...text(cast), SmsStatus: status, MessageStatus: status, To: cast.phone, From: '+15005550006', ...fields },
      type,
      about: [...sids, 'MessageStatus'],
    }));

const wooTimes = (atMs: number) => {
  const gmt = (ms: number) => new Date(ms).toISOString().slice(0, 19);
  return { date_created: gmt(atMs), date_created_gmt: gmt(atMs), date_modified: gmt(atMs), date_modified_gmt: gmt(atMs) };
};
const wooAddress = (cast: Cast) =>
  fc.record({
    first_name: fc.constantFrom('Ada', 'Bo', ''),
    last_name: fc.constantFrom('Example', ''),
    country: fc.constantFrom('AT', 'DE'),
    state: fc.constantFrom('9', ''),
    email: fc.constant(cast.email),
    phone: fc.constant(cast.phone),
  });
const wooWhom = ['customer_id', 'id', 'email', 'phone', 'billing.email', 'billing.phone', 'cart.billing_address.email', 'cart.billing_address.phone'];

const wooLine = fc.record({
  name: titles.map((title) => title.replace('&', '&amp;')),
  product_id: fc.integer({ min: 1, max: 2 ** 40 }),
  variation_id: fc.constantFrom(0, 94),
  quantity: fc.integer({ min: 1, max: 9 }),
  subtotal: cents,
  subtotal_tax: cents,
  total: cents,
  total_tax: cents,
  image: fc.record({ src: url }),
});

/** The plugin's meta data say which cart the order was made from; its status and its payment, whether it was placed. */
const wooOrder = (cast: Cast, atMs: number, status: 'pending' | 'processing') =>
  fc
    .record({
      id: fc.constant(cast.order),
      currency: currencies,
      customer_id: fc.constant(cast.customer),
      billing: wooAddress(cast),
      created_via: fc.constantFrom('checkout', 'store-api'),
      // A pending order by bank transfer was placed.
      payment_method: status === 'pending' ? fc.constant('card') : fc.constantFrom('bacs', 'card'),
      prices_include_tax: fc.boolean(),
      total: cents,
      payment_url: url,
      line_items: fc.array(wooLine, { minLength: 2, maxLength: 4 }),
      refunds: fc.array(fc.record({ id: fc.integer({ min: 1 }), total: fc.constant('-1.00') }), { maxLength: status === 'pending' ? 0 : 2 }),
    })
    .map((order) => ({
      ...order,
      ...wooTimes(atMs),
      status,
      date_paid_gmt: status === 'pending' ? null : wooTimes(atMs).date_created_gmt,
      meta_data: [{ id: 1, key: '_rekindle_cart', value: cast.cart }],
    }));

const wooAmounts = fc
  .record({
    price: fc.nat(500_000),
    regular_price: fc.nat(500_000),
    line_total: fc.nat(500_000),
    line_subtotal: fc.nat(500_000),
    total_price: fc.nat(900_000),
  })
  .map((amounts) => ({
    ...Object.fromEntries(Object.entries(amounts).map(([name, minor]) => [name, String(minor)])),
    currency_code: 'EUR',
    currency_minor_unit: 2,
  }));
const wooItem = fc.record({
  id: fc.integer({ min: 1, max: 2 ** 40 }),
  name: titles,
  quantity: fc.integer({ min: 1, max: 9 }),
  prices: wooAmounts,
  totals: wooAmounts,
  images: fc.array(fc.record({ src: url, thumbnail: url }), { maxLength: 1 }),
  permalink: url,
  variation: fc.array(fc.record({ attribute: fc.constant('Size'), value: fc.constant('250 g') }), { maxLength: 1 }),
  low_stock_remaining: orNull(fc.nat(9)),
});

const orderKeys = ['meta_data', 'meta_data.0', 'meta_data.0.key', 'meta_data.0.value'];
const whetherPaid = ['status', 'needs_payment', 'date_paid_gmt', 'payment_method'];
const woocommerce: Record<string, Make> = {
  'order.created': (cast, atMs) =>
    wooOrder(cast, atMs, 'pending').map((body) => ({ body, type: 'cart.updated', about: [...orderKeys, ...whetherPaid, ...wooWhom] })),
  'order.updated': (cast, atMs) =>
    wooOrder(cast, atMs, 'processing').map((body) => ({ body, type: 'order.placed', about: [...orderKeys, ...whetherPaid, ...wooWhom] })),
  'customer.updated': (cast, atMs) =>
    fc
      .record({ id: fc.constant(cast.customer), email: fc.constant(cast.email), role: fc.constant('customer'), billing: wooAddress(cast) })
      .map((customer) => ({ body: { ...customer, ...wooTimes(atMs) }, type: 'contact.updated', about: wooWhom })),
  'rekindle.cart': (cast, atMs) =>
    fc
      .record({
        id: fc.constant(cast.cart),
        customer_id: fc.constant(cast.customer),
        locale: fc.constantFrom('de_AT', 'de_CH_informal'),
        restore_url: url,
        cart: fc.record({ items: fc.array(wooItem, { minLength: 2, maxLength: 4 }), totals: wooAmounts, billing_address: wooAddress(cast) }),
      })
      .map((body) => ({ body: { ...body, ...wooTimes(atMs) }, type: 'cart.updated', about: wooWhom })),
};

const resendData = (cast: Cast) => ({
  email_id: fc.constant('56761188-7520-42d8-8898-ff6fc54ce618'),
  created_at: fc.constant('2026-11-01T10:00:00.000Z'),
  from: fc.constant('Shop <shop@example.com>'),
  to: fc.constant([cast.email]),
  subject: titles,
  tags: fc.constant({ rekindle_account: 'main' }),
});
const resendAbout = ['type', 'data', 'data.email_id', 'data.to', 'data.to.0', 'data.tags', 'data.tags.rekindle_account'];
const resendMake =
  (topic: string, type: DomainEvent['type'], more: (cast: Cast) => Record<string, fc.Arbitrary<unknown>> = () => ({})): Make =>
  (cast, atMs) =>
    fc
      .record({ ...resendData(cast), ...more(cast) })
      .map((data) => ({ body: { type: topic, created_at: new Date(atMs).toISOString(), data }, type, about: resendAbout }));
const resend: Record<string, Make> = {
  'email.delivered': resendMake('email.delivered', 'message.delivered'),
  'email.bounced': resendMake('email.bounced', 'message.failed', () => ({
    bounce: fc.record({
      type: fc.constantFrom('Permanent', 'Transient', 'Undetermined'),
      subType: fc.constantFrom('General', 'MailboxFull'),
      message: fc.constant('550 5.1.1 user unknown'),
      diagnosticCode: fc.constant(['smtp; 550 5.1.1 user unknown']),
    }),
  })),
  'email.failed': resendMake('email.failed', 'message.failed', () => ({ failed: fc.record({ reason: fc.constant('reached_daily_quota') }) })),
  'email.suppressed': resendMake('email.suppressed', 'message.failed'),
  'email.complained': resendMake('email.complained', 'contact.opted_out'),
};

const sendGridTypes: Record<string, DomainEvent['type']> = {
  delivered: 'message.delivered',
  bounce: 'message.failed',
  dropped: 'message.failed',
  spamreport: 'contact.opted_out',
  unsubscribe: 'contact.opted_out',
};
const sendgrid: Record<string, Make> = {
  events: (cast, atMs) =>
    fc.constantFrom(...Object.keys(sendGridTypes)).chain((event) =>
      fc
        .record({
          email: fc.constant(cast.email),
          event: fc.constant(event),
          timestamp: fc.constant(Math.floor(atMs / 1_000)),
          sg_event_id: fc.uuid(),
          sg_message_id: fc.constant('LRzXl_NHStOGhQ4kofSm_A.filterdrecv-0'),
          rekindle_account: fc.constant('main'),
          reason: fc.constantFrom('550 5.1.1 unknown', 'Bounced Address'),
          status: fc.constantFrom('5.1.1', '5.0.0'),
          type: fc.constantFrom('bounce', 'blocked'),
        })
        .map((fields) => ({
          body: { 0: fields } as Record<string, unknown>,
          type: sendGridTypes[event] ?? 'message.failed',
          about: ['0', '0.event', '0.email', '0.sg_message_id', '0.rekindle_account'],
        })),
    ),
};

const metaAbout = ['object', 'entry', 'entry.0', 'entry.0.changes', 'entry.0.changes.0', 'entry.0.changes.0.field', 'entry.0.changes.0.value'];
const ofLead = (...names: string[]) => [...metaAbout, ...['leadgen_id', ...names].map((name) => `entry.0.changes.0.value.${name}`)];
const metaMake = (cast: Cast, atMs: number, answers: Record<string, unknown>, about: string[]) =>
  fc.record({ first: orNull(fc.constant('Ada')), platform: fc.constantFrom('fb', 'ig'), district: fc.constantFrom('Marina', 'Wien') }).map((more) => {
    const ids = { leadgen_id: cast.order, form_id: '200000000000001', created_time: Math.floor(atMs / 1_000), platform: more.platform };
    const value = { ...ids, first_name: more.first, 'which_district?': more.district, ...answers };
    const entry = [{ id: '100000000000001', time: Math.floor(atMs / 1_000), changes: [{ field: 'leadgen', value }] }];
    return { body: { object: 'page', entry }, type: 'lead.created' as const, about };
  });
const meta: Record<string, Make> = {
  'leadgen, flat': (cast, atMs) => metaMake(cast, atMs, { email: cast.email, phone: cast.phone }, ofLead('email', 'phone')),
  'leadgen, listed': (cast, atMs) =>
    metaMake(
      cast,
      atMs,
      {
        field_data: [
          { name: 'email', values: [cast.email] },
          { name: 'phone_number', values: [cast.phone] },
          { name: 'full_name', values: ['Ada Example'] },
        ],
      },
      ofLead(...[0, 1].flatMap((at) => [`field_data.${at}`, `field_data.${at}.name`, `field_data.${at}.values`, `field_data.${at}.values.0`])),
    ),
};

const smsHttp: Record<string, Make> = {
  inbound: (cast) =>
    fc.record({ message: fc.constantFrom('STOP', 'yes, tell me more'), dnis: fc.constant('15005550006') }).map((fields) => ({
      body: { command: 'mo', ani: cast.phone.slice(1), ...fields },
      type: 'message.received',
      about: ['command', 'ani'],
    })),
  receipts: () =>
    fc.constantFrom('DELIVRD', 'UNDELIV').chain((status) =>
      fc.record({ error_code: fc.constantFrom('000', '17', null), delivery_time: fc.constant('20261101093309') }).map((fields) => ({
        body: { messageId: 'alss-a1b2c3d4-e5f67890', status, ...fields },
        type: status === 'DELIVRD' ? ('message.delivered' as const) : ('message.failed' as const),
        about: ['messageId', 'status'],
      })),
    ),
};

const vapi: Record<string, Make> = {
  'end-of-call-report': (cast, atMs) =>
    fc
      .record({
        endedReason: fc.constantFrom('customer-ended-call', 'voicemail'),
        startedAt: fc.constant(new Date(atMs - 60_000).toISOString()),
        endedAt: fc.constant(new Date(atMs).toISOString()),
        artifact: fc.record({ transcript: fc.constantFrom('', 'AI: Hi.\nUser: Call me tomorrow.') }),
        analysis: fc.constant({}),
      })
      .map((fields) => ({
        body: {
          message: {
            type: 'end-of-call-report',
            timestamp: atMs,
            call: {
              id: cast.order,
              customer: { number: cast.phone },
              assistantOverrides: { metadata: { rekindle_account: 'main', rekindle_key: `${cast.cart}:call_2d` } },
            },
            ...fields,
          },
        },
        type: 'call.ended' as const,
        about: [
          'message',
          'message.type',
          'message.endedReason',
          'message.call',
          'message.call.id',
          'message.call.customer',
          'message.call.customer.number',
          'message.call.assistantOverrides',
          'message.call.assistantOverrides.metadata',
          'message.call.assistantOverrides.metadata.rekindle_account',
          'message.call.assistantOverrides.metadata.rekindle_key',
        ],
      })),
};

const postmarkBase = (cast: Cast) => ({
  MessageID: fc.constant('883953f4-6105-42a2-a16a-77a8eac79483'),
  Metadata: fc.constant({ rekindle_account: 'main', rekindle_key: `${cast.cart}:email_2h` }),
  Email: fc.constant(cast.email),
  Recipient: fc.constant(cast.email),
  Tag: orNull(fc.constant('cart')),
});
const postmarkMake =
  (topic: string, type: DomainEvent['type'], more: Record<string, fc.Arbitrary<unknown>>): Make =>
  (cast) =>
    fc.record({ ...postmarkBase(cast), ...more }).map((fields) => ({
      body: { RecordType: topic, ...fields },
      type,
      about: [
        'RecordType',
        'MessageID',
        'Metadata',
        'Metadata.rekindle_account',
        'Metadata.rekindle_key',
        'Email',
        'Recipient',
        'Type',
        'SuppressSending',
        'SuppressionReason',
      ],
    }));
const postmark: Record<string, Make> = {
  Delivery: postmarkMake('Delivery', 'message.delivered', { DeliveredAt: fc.constant('2026-11-01T10:00:03Z') }),
  Bounce: postmarkMake('Bounce', 'message.failed', {
    Type: fc.constantFrom('HardBounce', 'SoftBounce'),
    Inactive: fc.boolean(),
    BouncedAt: fc.constant('2026-11-01T10:00:03Z'),
  }),
  SpamComplaint: postmarkMake('SpamComplaint', 'contact.opted_out', { BouncedAt: fc.constant('2026-11-01T10:00:03Z') }),
  SubscriptionChange: postmarkMake('SubscriptionChange', 'contact.opted_out', {
    SuppressSending: fc.constant(true),
    SuppressionReason: fc.constant('ManualSuppression'),
    ChangedAt: fc.constant('2026-11-01T10:00:03Z'),
  }),
};

const instantlyMake =
  (topic: string, type: DomainEvent['type']): Make =>
  (cast, atMs) =>
    fc.record({ step: fc.nat(5), reply_subject: titles, reply_text: titles, email_id: orNull(fc.constant('em_1')) }).map((fields) => ({
      body: {
        event_type: topic,
        timestamp: new Date(atMs).toISOString(),
        lead_email: cast.email,
        rk_account: 'main',
        rk_attempt: `${cast.cart}:email_2h`,
        ...fields,
      },
      type,
      about: ['event_type', 'lead_email', 'rk_account', 'rk_attempt', 'email_id'],
    }));
const instantly: Record<string, Make> = {
  email_sent: instantlyMake('email_sent', 'message.delivered'),
  email_bounced: instantlyMake('email_bounced', 'message.failed'),
  reply_received: instantlyMake('reply_received', 'message.received'),
  lead_unsubscribed: instantlyMake('lead_unsubscribed', 'contact.opted_out'),
};

const mailgunMake =
  (topic: string, type: DomainEvent['type']): Make =>
  (cast, atMs) =>
    fc.record({ reason: fc.constantFrom('bounce', 'generic'), 'log-level': fc.constant('info'), tags: fc.constant([]) }).map((fields) => ({
      body: {
        'event-data': {
          event: topic,
          id: cast.order,
          timestamp: atMs / 1_000,
          recipient: cast.email,
          message: { headers: { 'message-id': `${cast.order}@mg.example.com` } },
          'user-variables': { rekindle_account: 'main', rekindle_key: `${cast.cart}:email_2h` },
          severity: 'permanent',
          ...fields,
        },
      },
      type,
      about: [
        ...['', '.event', '.recipient', '.message', '.message.headers', '.message.headers.message-id', '.severity'].map(
          (path) => `event-data${path}`,
        ),
        ...['', '.rekindle_account', '.rekindle_key'].map((path) => `event-data.user-variables${path}`),
      ],
    }));
const mailgun: Record<string, Make> = {
  delivered: mailgunMake('delivered', 'message.delivered'),
  failed: mailgunMake('failed', 'message.failed'),
  complained: mailgunMake('complained', 'contact.opted_out'),
  unsubscribed: mailgunMake('unsubscribed', 'contact.opted_out'),
};

/** SNS wraps the event as a text: `properties.ts` does so. */
const sesMake =
  (topic: string, type: DomainEvent['type'], part: string, more: (cast: Cast) => Record<string, fc.Arbitrary<unknown>>): Make =>
  (cast, atMs) => {
    const timestamp = new Date(atMs).toISOString();
    const tags = { rekindle_account: ['main'], rekindle_key: [Buffer.from(`${cast.cart}:email_2h`).toString('base64url')] };
    const mail = { timestamp, messageId: '0102018f-aaaa-000000', destination: [cast.email], tags };
    return fc.record({ timestamp: fc.constant(timestamp), feedbackId: orNull(fc.constant('f1')), ...more(cast) }).map((fields) => ({
      body: { eventType: topic, mail, [part]: fields },
      type,
      about: [
        ...['eventType', 'mail', 'mail.messageId', 'mail.destination', 'mail.destination.0', 'mail.tags'],
        ...['rekindle_account', 'rekindle_key'].flatMap((tag) => [`mail.tags.${tag}`, `mail.tags.${tag}.0`]),
        ...[part, `${part}.complainedRecipients`, `${part}.complainedRecipients.0`, `${part}.complainedRecipients.0.emailAddress`],
        ...[`${part}.complaintSubType`, `${part}.complaintFeedbackType`, `${part}.newTopicPreferences`, `${part}.newTopicPreferences.unsubscribeAll`],
      ],
    }));
  };
const ses: Record<string, Make> = {
  Delivery: sesMake('Delivery', 'message.delivered', 'delivery', () => ({ smtpResponse: titles })),
  Bounce: sesMake('Bounce', 'message.failed', 'bounce', () => ({ bounceType: fc.constantFrom('Permanent', 'Transient'), bounceSubType: titles })),
  Complaint: sesMake('Complaint', 'contact.opted_out', 'complaint', ({ email }) => ({
    complainedRecipients: fc.constant([{ emailAddress: email }]),
    complaintFeedbackType: fc.constantFrom('abuse', null),
  })),
  Subscription: sesMake('Subscription', 'contact.opted_out', 'subscription', () => ({ newTopicPreferences: fc.constant({ unsubscribeAll: true }) })),
};

const whatsappMake =
  (type: DomainEvent['type'], reported: (cast: Cast, timestamp: string) => { messages?: object[]; statuses?: object[] }): Make =>
  (cast, atMs) =>
    fc.record({ name: titles }).map((profile) => ({
      body: {
        object: 'whatsapp_business_account',
        entry: [
          {
            id: '500000000000001',
            changes: [
              {
                field: 'messages',
                value: {
                  messaging_product: 'whatsapp',
                  metadata: { display_phone_number: '15005550006', phone_number_id: '600000000000001' },
                  contacts: [{ profile, wa_id: cast.phone.slice(1) }],
                  ...reported(cast, String(Math.floor(atMs / 1_000))),
                },
              },
            ],
          },
        ],
      },
      type,
      about: [
        ...['entry', 'entry.0', 'entry.0.changes', 'entry.0.changes.0', 'entry.0.changes.0.field', 'entry.0.changes.0.value'],
        ...['metadata', 'metadata.phone_number_id', 'messages', 'messages.0', 'messages.0.from', 'messages.0.type'].map(inWhatsapp),
        ...['statuses', 'statuses.0', 'statuses.0.id', 'statuses.0.status', 'statuses.0.biz_opaque_callback_data'].map(inWhatsapp),
      ],
    }));
const inWhatsapp = (path: string) => `entry.0.changes.0.value.${path}`;
const whatsappStatus =
  (status: string, more: object = {}) =>
  (cast: Cast, timestamp: string) => ({
    statuses: [{ id: 'wamid.1', status, timestamp, recipient_id: cast.phone.slice(1), biz_opaque_callback_data: `${cast.cart}:email_2h`, ...more }],
  });
/** All of them have one topic: what tells them apart is in the body. */
const whatsappMakes: Make[] = [
  whatsappMake('message.received', ({ phone }, timestamp) => ({
    messages: [{ from: phone.slice(1), id: 'wamid.2', timestamp, type: 'text', text: { body: 'is it still there?' } }],
  })),
  whatsappMake('message.delivered', whatsappStatus('read')),
  whatsappMake('message.failed', whatsappStatus('failed', { errors: [{ code: 131026, title: 'Message undeliverable' }] })),
];
const whatsapp: Record<string, Make> = {
  messages: (cast, atMs) => fc.constantFrom(...whatsappMakes).chain((make) => make(cast, atMs)),
};

const telegramMake =
  (type: DomainEvent['type'], topic: string, content: (from: object, chat: object, dateS: number) => object, about: string[]): Make =>
  (cast, atMs) =>
    fc.record({ first_name: titles, language_code: fc.constantFrom('en', 'fa', 'ru') }).map((profile) => {
      const id = Number(cast.phone.slice(4));
      const found = content({ id, is_bot: false, ...profile }, { id, type: 'private' }, Math.floor(atMs / 1_000));
      return { body: { update_id: id, [topic]: found }, type, about: ['update_id', topic, ...about.map((path) => `${topic}.${path}`)] };
    });
const telegram: Record<string, Make> = {
  message: telegramMake('message.received', 'message', (from, chat, date) => ({ message_id: 2, from, chat, date, text: 'how much is it?' }), [
    'from',
    'from.is_bot',
    'chat',
    'chat.id',
    'chat.type',
  ]),
  callback_query: telegramMake(
    'message.received',
    'callback_query',
    (from, chat, date) => ({ id: '438', from, message: { message_id: 501, chat, date }, data: 'more' }),
    ['id', 'data', 'from', 'from.id', 'from.is_bot', 'message', 'message.chat', 'message.chat.id', 'message.chat.type'],
  ),
  my_chat_member: telegramMake(
    'contact.opted_out',
    'my_chat_member',
    (from, chat, date) => ({ chat, from, date, old_chat_member: { status: 'member' }, new_chat_member: { status: 'kicked' } }),
    ['from', 'from.is_bot', 'chat', 'chat.id', 'chat.type', 'new_chat_member', 'new_chat_member.status'],
  ),
};

const highLevelLocation = 'loc_0001abcdefghijklmn';
const highLevelMake =
  (topic: string, type: DomainEvent['type'], about: string[], more: (cast: Cast) => Record<string, fc.Arbitrary<unknown>>): Make =>
  (cast, atMs) =>
    fc.record(more(cast)).map((fields) => ({
      body: { type: topic, webhookId: cast.order, timestamp: new Date(atMs).toISOString(), locationId: highLevelLocation, ...fields },
      type,
      about: ['type', 'locationId', ...about],
    }));
const gohighlevel: Record<string, Make> = {
  InboundMessage: highLevelMake('InboundMessage', 'message.received', ['contactId', 'from', 'messageType'], ({ customer, phone }) => ({
    contactId: fc.constant(customer),
    from: fc.constant(phone),
    messageType: fc.constantFrom('SMS', 'WhatsApp'),
    body: fc.constantFrom('yes please', 'STOP', ''),
  })),
  ContactUpdate: highLevelMake('ContactUpdate', 'contact.updated', ['id', 'contactId', 'email', 'phone'], ({ customer, email, phone }) => ({
    ...{ id: fc.constant(customer), email: fc.constant(email), phone: fc.constant(phone) },
    firstName: titles,
    tags: fc.constant(['Buyer']),
  })),
  ContactDelete: highLevelMake('ContactDelete', 'contact.opted_out', ['id', 'contactId', 'email', 'phone'], ({ customer, email }) => ({
    ...{ id: fc.constant(customer), email: fc.constant(email) },
  })),
};

/** A postback names its click by any of these; what names another one is about others. */
const clickNames = ['subid', 'sub_id', 'click_id'];
const keitaro: Record<string, Make> = {
  postback: (cast) =>
    fc
      .record({
        status: fc.constantFrom('sale', 'lead', 'rejected', 'deposit'),
        payout: cents,
        currency: currencies,
        sale_status: orNull(fc.constant('confirmed,approved')),
      })
      .map((fields) => ({
        body: { subid: cast.order, sub_id: cast.cart, click_id: cast.customer, tid: 'T-1', ...fields },
        type: 'conversion.reported' as const,
        about: [...clickNames, 'tid'],
      })),
};

const made = {
  shopify,
  woocommerce,
  twilio,
  resend,
  sendgrid,
  'sms-http': smsHttp,
  vapi,
  postmark,
  mailgun,
  ses,
  whatsapp,
  telegram,
  gohighlevel,
  instantly,
  meta,
  keitaro,
};

/** Of integrations whose deliveries cannot be read without the configuration of their connection. */
export const configOf: Partial<Record<ValidDelivery['integration'], unknown>> = {
  gohighlevel: { locationId: highLevelLocation, token: 'pit-an-invented-token' },
  'sms-http': { profile: '23telecom', secrets: { username: 'shop', password: 'an-invented-password' }, webhookToken: 'an-invented-token-of-ours' },
};

/** Topics of each integration that tell a stop, a subject or a receipt. */
export const topicsOf: Record<ValidDelivery['integration'], string[]> = {
  shopify: Object.keys(shopify),
  woocommerce: Object.keys(woocommerce),
  generic: Object.keys(generic),
  twilio: Object.keys(twilio),
  resend: Object.keys(resend),
  sendgrid: Object.keys(sendgrid),
  meta: Object.keys(meta),
  'sms-http': Object.keys(smsHttp),
  vapi: Object.keys(vapi),
  postmark: Object.keys(postmark),
  mailgun: Object.keys(mailgun),
  ses: Object.keys(ses),
  whatsapp: Object.keys(whatsapp),
  telegram: Object.keys(telegram),
  gohighlevel: Object.keys(gohighlevel),
  keitaro: Object.keys(keitaro),
  instantly: Object.keys(instantly),
};
export const fuzzed = Object.keys(topicsOf) as ValidDelivery['integration'][];

/** A valid delivery of that topic about that cast. */
export function validDelivery(integration: ValidDelivery['integration'], topic: string, cast: Cast, atMs: number): fc.Arbitrary<ValidDelivery> {
  const own = integration === 'generic' ? undefined : made[integration][topic];
  if (own !== undefined) return own(cast, atMs).map((delivery) => ({ integration, topic, ...delivery }));
  const make = generic[topic];
  if (make === undefined) throw new Error(`no deliveries of ${topic} can be made`);
  return make(cast, atMs).map(({ data, about }) => ({
    integration,
    topic,
    body: { type: topic, timestamp: new Date(atMs).toISOString(), data },
    type: topic as DomainEvent['type'],
    about: [...genericWhom, ...about],
  }));
}

/** Any valid delivery. */
export function anyValidDelivery(atMs: number): fc.Arbitrary<ValidDelivery> {
  const kinds = fuzzed.flatMap((integration) => topicsOf[integration].map((topic) => ({ integration, topic })));
  return fc
    .tuple(fc.constantFrom(...kinds), fc.nat(1_000_000))
    .chain(([{ integration, topic }, n]) => validDelivery(integration, topic, castOf(n), atMs));
}
