import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { pino } from 'pino';
import { signStandardWebhook } from '../integrations/standard-webhooks.ts';
import { acceptDelivery } from '../operations/accept-delivery.ts';
import { type BuiltDeps, createDeps, type DepsOptions } from '../operations/create-deps.ts';
import { type ProvisionedTenant, provisionTenant } from '../operations/provision-tenant.ts';

// A merchant's system as the benchmark plays it: carts, orders and opt-outs, signed, over HTTP or straight into the operation.
// All people in it are invented.

/** Dependencies of a process of the product on this database. */
export function openDeps(databaseUrl: string, masterKey: Buffer, more: Partial<DepsOptions> = {}): BuiltDeps {
  return createDeps({
    databaseUrl,
    masterKey,
    publicUrl: 'http://localhost',
    smtpUrl: null,
    timeScale: null,
    log: pino({ level: 'silent' }),
    applicationName: 'bench',
    ...more,
  });
}

/** A tenant without quiet hours: what is measured does not depend on the time of day. */
export function openTenant(deps: BuiltDeps, slug: string, timeScale = 1): Promise<ProvisionedTenant> {
  return provisionTenant(deps, {
    slug,
    name: slug,
    timeScale,
    synthetic: true,
    settings: {
      quietHours: null,
      legalHours: false,
      consentLaw: 'off',
      catchUpPerMinute: null,
      caps: [{ channel: null, most: 50, withinHours: 168 }],
    },
  });
}

export interface ShopEvent {
  type: string;
  data: Record<string, unknown>;
  /** Epoch ms; now, if left out. */
  atMs?: number;
}

export const restoreUrlOf = (cartId: string) => `https://shop.example.com/cart/${cartId}`;
export const emailOf = (cartId: string) => `${cartId}@example.com`;

export const cartUpdated = (cartId: string, atMs = Date.now(), total = '129.90'): ShopEvent => ({
  type: 'cart.updated',
  atMs,
  data: {
    cart: {
      id: cartId,
      currency: 'EUR',
      total,
      items: [
        { title: 'Walnut desk lamp', quantity: 1, price: '89.90', product_url: 'https://shop.example.com/lamp' },
        { title: 'Linen cushion', quantity: 2, price: '20.00', product_url: 'https://shop.example.com/cushion' },
      ],
      restore_url: restoreUrlOf(cartId),
    },
    contact: { email: emailOf(cartId), first_name: 'Ada' },
  },
});

export const orderPlaced = (cartId: string): ShopEvent => ({
  type: 'order.placed',
  data: { order: { id: randomUUID(), currency: 'EUR', total: '129.90' }, cart_id: cartId, contact: { email: emailOf(cartId) } },
});

export const optedOut = (cartId: string): ShopEvent => ({ type: 'contact.opted_out', data: { contact: { email: emailOf(cartId) } } });

export const replied = (cartId: string): ShopEvent => ({
  type: 'message.received',
  data: { contact: { email: emailOf(cartId) }, channel: 'email', text: 'Is it still in stock?' },
});

/** A delivery as it goes over the wire. Sent twice, it is a repeat. */
export interface Signed {
  path: string;
  payload: string;
  headers: Record<string, string>;
}

export function sign(tenant: ProvisionedTenant, event: ShopEvent): Signed {
  const payload = JSON.stringify({ type: event.type, timestamp: new Date(event.atMs ?? Date.now()).toISOString(), data: event.data });
  const [id, time] = [randomUUID(), Math.floor(Date.now() / 1_000)];
  const { path, secret } = tenant.webhooks.generic;
  return {
    path,
    payload,
    headers: { 'webhook-id': id, 'webhook-timestamp': String(time), 'webhook-signature': signStandardWebhook(secret, id, time, payload) },
  };
}

/** Accept a delivery in this process. @throws Error when it is not accepted as `expected` */
export async function accept(deps: BuiltDeps, signed: Signed, expected: 'applied' | 'repeated' = 'applied'): Promise<void> {
  const { path, payload, headers } = signed;
  const answer = await acceptDelivery(deps, 'generic', path.split('/').at(-1) ?? null, {
    method: 'POST',
    url: `${deps.publicUrl}${path}`,
    raw: Buffer.from(payload),
    headers,
    receivedAtMs: Date.now(),
  });
  if (answer.kind !== 'accepted' || answer.result !== expected) throw new Error(JSON.stringify(answer));
}

// As many at once as a part asks for: a delivery that waits in this process for a connection has not been sent.
const agent = new Agent({ keepAlive: true });

/**
 * Post a delivery to a process, and again while it answers 5xx, as a shop would.
 * @returns how often it was sent again
 * @throws Error for any other answer than 200, and after ten attempts
 */
export async function post(port: number, signed: Signed): Promise<number> {
  for (let again = 0; ; again++) {
    const { status, said } = await postOnce(port, signed);
    if (status === 200) return again;
    if (status < 500 || again === 9) throw new Error(`answered ${status}: ${said}`);
  }
}

/** Post a delivery once, whatever is answered. */
export function postOnce(port: number, { path, payload, headers }: Signed, through: Agent = agent): Promise<{ status: number; said: string }> {
  return new Promise((resolve, reject) => {
    const req = request(
      { agent: through, host: '127.0.0.1', port, path, method: 'POST', headers: { 'content-type': 'application/json', ...headers } },
      (res) => {
        let said = '';
        res.setEncoding('utf8').on('data', (text: string) => void (said += text));
        res.on('end', () => resolve({ status: res.statusCode ?? 0, said }));
      },
    );
    req.on('error', reject);
    req.end(payload);
  });
}
