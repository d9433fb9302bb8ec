import { createConnection } from '../../operations/connections.ts';
import { proofOf } from '../../operations/onsite/proof.ts';
import type { Shop } from './shop.ts';

/** A site of the shop, and a browser on it that is no program. */
export interface Site {
  key: string;
  origin: string;
  /** Tell a page view, as the script does. */
  view(
    cart: string,
    more?: { proof?: string | null; origin?: string; agent?: string; subscription?: unknown },
  ): Promise<{ status: number; headers: Record<string, unknown>; popup: PopupView | null; pushKey: string | null }>;
  report(token: string, type: string): Promise<number>;
  /** What the shop's own server would write into the page of this cart. */
  proofOf(cart: string): string;
}

export interface PopupView {
  token: string;
  heading: string;
  text: string;
  cta: string;
  url: string;
  label: string | null;
}

const browser = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36';

export async function connectSite(shop: Shop, origin = 'https://shop.example.com'): Promise<Site> {
  const made = await createConnection(
    shop.deps,
    shop.tenant.tenantId,
    { integration: 'onsite', name: 'Our pages', config: { origins: [origin] }, secrets: [] },
    'test',
  );
  if (made.kind !== 'created') throw new Error(JSON.stringify(made));
  const { id } = made.connection;
  const proof = (cart: string) => proofOf(shop.tenant.webhooks.generic.secret, cart);
  const post = (path: string, body: unknown, from: string, agent: string) =>
    shop.app.inject({
      method: 'POST',
      url: path,
      headers: { origin: from, 'user-agent': agent, 'content-type': 'text/plain;charset=UTF-8' },
      payload: JSON.stringify(body),
    });
  return {
    key: id,
    origin,
    proofOf: proof,
    async view(cart, more = {}) {
      const named = { key: id, cart, proof: more.proof === undefined ? proof(cart) : more.proof, subscription: more.subscription };
      const answer = await post('/onsite/views', named, more.origin ?? origin, more.agent ?? browser);
      const { popup = null, pushKey = null } = answer.json<{ popup?: PopupView | null; pushKey?: string | null }>();
      return { status: answer.statusCode, headers: answer.headers, popup, pushKey };
    },
    report: async (token, type) => (await post('/onsite/reports', { token, type }, origin, browser)).statusCode,
  };
}
