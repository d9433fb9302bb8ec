import { setTimeout as sleep } from 'node:timers/promises';
import { post, type SignedDelivery, signAsShopify, signGeneric, type WebhookTarget } from '../webhook.ts';
import type { DemoLead } from './lead.ts';
import type { Shopper } from './shopper.ts';

export interface ShopTargets {
  shopify: WebhookTarget;
  generic: WebhookTarget;
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
    else await this.#generic('cart.updated', { cart: this.#cart(shopper, shopper.items.slice(0, 1)) });
  }

  /** The cart is filled and its owner known. Sent again, it counts as activity. */
  async cartFilled(shopper: Shopper): Promise<void> {
    if (shopper.via === 'shopify') await this.#shopify('checkouts/update', { ...this.#checkout(shopper, shopper.items), ...shopifyPerson(shopper) });
    else await this.#generic('cart.updated', { cart: this.#cart(shopper, shopper.items), contact: person(shopper) });
  }

  async orderPlaced(shopper: Shopper): Promise<void> {
    const id = `demo-${cartId(shopper)}`;
    if (shopper.via === 'shopify') {
      const { currency, total: total_price } = shopper;
      await this.#shopify('orders/create', { id, checkout_token: cartId(shopper), currency, total_price, ...times(), ...shopifyPerson(shopper) });
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

  #picture(title: string): string {
    return `${this.#shopUrl}/pictures/${encodeURIComponent(title)}.svg`;
  }

  #restoreUrl(shopper: Shopper): string {
    return `${this.#shopUrl}/cart/${encodeURIComponent(cartId(shopper))}`;
  }

  async #shopify(topic: string, payload: unknown): Promise<void> {
    await this.#deliver(signAsShopify(this.#targets.shopify, { topic, payload }, Date.now()));
  }

  async #generic(type: string, data: unknown): Promise<void> {
    await this.#deliver(signGeneric(this.#targets.generic, { type, data }, Date.now()));
  }

  // As shops do: repeat the same delivery until it is accepted.
  async #deliver(delivery: SignedDelivery): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      this.#signal.throwIfAborted();
      const status = await post(delivery).then(
        (answer) => answer.status,
        () => 0,
      );
      if (status >= 200 && status < 300) return;
      const worthRepeating = status === 0 || status === 429 || status >= 500;
      if (!worthRepeating || attempt === 6) throw new Error(`${delivery.url} answered ${status === 0 ? 'nothing' : status}`);
      await sleep(500 * 2 ** attempt, undefined, { signal: this.#signal });
    }
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

function times() {
  const at = new Date().toISOString();
  return { created_at: at, updated_at: at };
}

function sum(items: Shopper['items'], currency: string): string {
  return items.reduce((total, item) => total + Number(item.price) * item.quantity, 0).toFixed(currency === 'JPY' ? 0 : 2);
}
