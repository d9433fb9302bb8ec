import { postUntilTaken, signAsShopify, signAsWooCommerce, signGeneric, type WebhookTarget } from '../webhook.ts';
import type { DemoLead } from './lead.ts';
import type { Shopper } from './shopper.ts';

export interface ShopTargets {
  shopify: WebhookTarget;
  generic: WebhookTarget;
  woocommerce: WebhookTarget;
}

/** The cart's id at its shop, the checkout token at Shopify. */
function cartId(shopper: Shopper): string {
  return `${shopper.via}-${shopper.email.split('@')[0]}`;
}

const leadId = (lead: DemoLead) => `lead-${lead.email.split('@')[0]}`;

/**
 * The webhooks that the shop system sends about this shopper, in that system's own format.
 * @param shopUrl - the demo shop's pages, for pictures and restore links
 */
export class ShopEvents {
  readonly #targets: ShopTargets;
  readonly #shopUrl: string;
  readonly #signal: AbortSignal;

  constructor(targets: ShopTargets, shopUrl: string, signal: AbortSignal) {
    this.#targets = targets;
    this.#shopUrl = shopUrl;
    this.#signal = signal;
  }

  /** A cart begins. Shopify's first report names nobody yet: no email, an empty list for an address. */
  async cartBegun(shopper: Shopper): Promise<void> {
    if (shopper.via === 'shopify') await this.#shopify('checkouts/create', { ...this.#checkout(shopper, shopper.items.slice(0, 1)), ...nobody });
    else if (shopper.via === 'woocommerce') await this.#woo('rekindle.cart', this.#wooCart(shopper, shopper.items.slice(0, 1), {}));
    else await this.#generic('cart.updated', { cart: this.#cart(shopper, shopper.items.slice(0, 1)) });
  }

  /** The cart is filled and its owner known. Sent again, it counts as activity. */
  async cartFilled(shopper: Shopper): Promise<void> {
    if (shopper.via === 'shopify') await this.#shopify('checkouts/update', { ...this.#checkout(shopper, shopper.items), ...shopifyPerson(shopper) });
    else if (shopper.via === 'woocommerce') await this.#woo('rekindle.cart', this.#wooCart(shopper, shopper.items, billing(shopper)));
    else await this.#generic('cart.updated', { cart: this.#cart(shopper, shopper.items), contact: person(shopper) });
  }

  async orderPlaced(shopper: Shopper): Promise<void> {
    const id = `demo-${cartId(shopper)}`;
    if (shopper.via === 'shopify') {
      const { currency, total: total_price } = shopper;
      await this.#shopify('orders/create', { id, checkout_token: cartId(shopper), currency, total_price, ...times(), ...shopifyPerson(shopper) });
    } else if (shopper.via === 'woocommerce') {
      await this.#woo('order.created', this.#wooOrder(shopper));
    } else {
      const order = { id, currency: shopper.currency, total: shopper.total };
      await this.#generic('order.placed', { order, cart_id: cartId(shopper), contact: person(shopper) });
    }
  }

  /** Somebody has filled in the form of the demo store, and agreed to texts. */
  async leadCreated(lead: DemoLead): Promise<void> {
    const { firstName: first_name, lastName: last_name, email, phone, interest, message, value, currency } = lead;
    await this.#generic('lead.created', {
      lead: { id: leadId(lead), source: 'website', interest, message, url: this.#shopUrl, value, currency },
      contact: { email, phone, first_name, last_name, marketing: { email: true, sms: true } },
    });
  }

  async leadContacted(lead: DemoLead, by: string): Promise<void> {
    await this.#generic('lead.contacted', { lead_id: leadId(lead), by });
  }

  async leadBought(lead: DemoLead): Promise<void> {
    const order = { id: `demo-${leadId(lead)}`, currency: lead.currency, total: lead.value };
    await this.#generic('order.placed', { order, contact: { email: lead.email } });
  }

  async messageReceived(shopper: Pick<Shopper, 'email'>, text: string): Promise<void> {
    await this.#generic('message.received', { contact: { email: shopper.email }, channel: 'email', text });
  }

  #cart(shopper: Shopper, items: Shopper['items']) {
    return {
      id: cartId(shopper),
      currency: shopper.currency,
      total: sum(items, shopper.currency),
      items: items.map((item) => ({ ...item, image_url: this.#picture(item.title), product_url: this.#shopUrl })),
      restore_url: this.#restoreUrl(shopper),
    };
  }

  #checkout(shopper: Shopper, items: Shopper['items']) {
    return {
      id: cartId(shopper),
      token: cartId(shopper),
      currency: shopper.currency,
      presentment_currency: shopper.currency,
      customer_locale: shopper.locale,
      total_price: sum(items, shopper.currency),
      line_items: items.map(({ title, variant, quantity, price }) => ({
        title,
        variant_title: variant,
        quantity,
        price,
        image_url: this.#picture(title),
      })),
      abandoned_checkout_url: this.#restoreUrl(shopper),
      ...times(),
    };
  }

  /** As the plugin for WooCommerce shops reports a cart: amounts in units of the last decimal, HTML in names. */
  #wooCart(shopper: Shopper, items: Shopper['items'], billing_address: Record<string, string>) {
    const unit = shopper.currency === 'JPY' ? 0 : 2;
    const minor = (major: string | number) => String(Math.round(Number(major) * 10 ** unit));
    const amounts = (fields: Record<string, string>) => ({ ...fields, currency_code: shopper.currency, currency_minor_unit: unit });
    return {
      id: cartId(shopper),
      date_created_gmt: new Date().toISOString(),
      date_modified_gmt: new Date().toISOString(),
      customer_id: 0,
      locale: shopper.locale.replace('-', '_'),
      restore_url: this.#restoreUrl(shopper),
      // An answer to the box at the checkout, whose wording is kept with it.
      ...(billing_address['email'] === undefined ? {} : { marketing: { email: true, wording: 'Yes, write to me about my cart and offers.' } }),
      cart: {
        items: items.map((item, index) => ({
          id: shopper.number * 10 + index + 1,
          quantity: item.quantity,
          name: item.title,
          permalink: this.#shopUrl,
          images: [{ thumbnail: this.#picture(item.title) }],
          variation: [{ attribute: 'Style', value: item.variant }],
          prices: amounts({ price: minor(item.price), regular_price: minor(item.price) }),
          totals: amounts({ line_subtotal: minor(Number(item.price) * item.quantity), line_total: minor(Number(item.price) * item.quantity) }),
        })),
        totals: amounts({ total_price: minor(sum(items, shopper.currency)) }),
        billing_address,
      },
    };
  }

  /** As WooCommerce reports an order that is paid, with the mark by which the plugin joins it with its cart. */
  #wooOrder(shopper: Shopper) {
    // A number that no earlier start of the demo has used.
    const id = Date.now();
    const at = new Date(id).toISOString().slice(0, 19);
    return {
      id,
      number: String(id),
      status: 'processing',
      currency: shopper.currency,
      prices_include_tax: true,
      created_via: 'checkout',
      date_created_gmt: at,
      date_modified_gmt: at,
      date_paid_gmt: at,
      total: shopper.total,
      customer_id: 0,
      billing: billing(shopper),
      payment_method: 'stripe',
      transaction_id: `demo-${shopper.number}`,
      needs_payment: false,
      meta_data: [{ id: 1, key: '_rekindle_cart', value: cartId(shopper) }],
      line_items: shopper.items.map((item, index) => ({
        id: index + 1,
        name: item.title,
        product_id: shopper.number * 10 + index + 1,
        variation_id: 0,
        quantity: item.quantity,
        subtotal: sum([item], shopper.currency),
        total: sum([item], shopper.currency),
      })),
      refunds: [],
    };
  }

  #picture(title: string): string {
    return `${this.#shopUrl}/pictures/${encodeURIComponent(title)}.svg`;
  }

  #restoreUrl(shopper: Shopper): string {
    return `${this.#shopUrl}/cart/${encodeURIComponent(cartId(shopper))}`;
  }

  async #shopify(topic: string, payload: unknown): Promise<void> {
    await postUntilTaken(signAsShopify(this.#targets.shopify, { topic, payload }, Date.now()), this.#signal);
  }

  async #woo(topic: string, payload: unknown): Promise<void> {
    await postUntilTaken(signAsWooCommerce(this.#targets.woocommerce, { topic, payload }), this.#signal);
  }

  async #generic(type: string, data: unknown): Promise<void> {
    await postUntilTaken(signGeneric(this.#targets.generic, { type, data }, Date.now()), this.#signal);
  }
}

const nobody = { email: null, phone: null, customer: null, shipping_address: [] };

function person(shopper: Shopper) {
  return { email: shopper.email, first_name: shopper.firstName, last_name: shopper.lastName, locale: shopper.locale, marketing: { email: true } };
}

function shopifyPerson(shopper: Shopper) {
  const { email, firstName: first_name, lastName: last_name } = shopper;
  return { email, buyer_accepts_marketing: true, customer: { email, first_name, last_name }, shipping_address: [] };
}

function billing({ email, firstName: first_name, lastName: last_name, locale }: Shopper): Record<string, string> {
  return { email, first_name, last_name, country: locale.slice(-2), state: '', phone: '' };
}

function times() {
  const at = new Date().toISOString();
  return { created_at: at, updated_at: at };
}

function sum(items: Shopper['items'], currency: string): string {
  return items.reduce((total, item) => total + Number(item.price) * item.quantity, 0).toFixed(currency === 'JPY' ? 0 : 2);
}
