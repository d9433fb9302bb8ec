import { type Client, createClient } from '../../sdk/index.ts';
import type { Shop } from './shop.ts';

/** A client of a shop whose API does not listen: each request is handed to it in the process. */
export function clientOf(shop: Shop, apiKey = shop.tenant.apiKey): Client {
  return createClient({
    baseUrl: 'http://rekindle.example.com',
    apiKey,
    retries: 0,
    fetch: async (url, init) => {
      const { pathname, search } = new URL(url);
      const { statusCode, headers, rawPayload } = await shop.app.inject({
        method: init.method as 'GET',
        url: `${pathname}${search}`,
        headers: Object.fromEntries(new Headers(init.headers)),
        ...(typeof init.body === 'string' ? { payload: init.body } : {}),
      });
      const given = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
      return new Response(rawPayload.length === 0 ? null : new Uint8Array(rawPayload), { status: statusCode, headers: given });
    },
  });
}
