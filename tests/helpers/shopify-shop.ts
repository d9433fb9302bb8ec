import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { faultsOfRequest, readSchema } from './graphql-schema.ts';
import { providerSpecText } from './provider-spec.ts';

/** A discount as the shop keeps it. */
export interface ShopDiscount {
  id: string;
  title: string;
  code: string;
  startsAt: string;
  endsAt: string;
  usageLimit: number;
  appliesOncePerCustomer: boolean;
  customerGets: { value: { percentage: number } };
  closed: boolean;
}

/** What the shop does with the next call. `done`: it does what was asked for all the same. */
export type ShopFault =
  | { act: 'hang' | 'reset'; done?: boolean }
  | { act: 'status'; status: number; done?: boolean; retryAfter?: number }
  | { act: 'errors'; code: string }
  | { act: 'userErrors'; code: string }
  | { act: 'nonsense' };

export interface ShopifyShop {
  url: string;
  /** By code, in capitals. */
  discounts: Map<string, ShopDiscount>;
  /** The operations that were asked for, in order. */
  calls: string[];
  /** What a published schema finds wrong with the requests; always empty where the schema is not there. */
  faults: string[];
  next(...faults: ShopFault[]): void;
  /** Every call from now on; null: none. */
  always(fault: ShopFault | null): void;
  /** Tokens that are let in. */
  tokens: Set<string>;
  stop(): Promise<void>;
}

/** A Shopify shop's Admin API on real HTTP, as far as discount codes go: cost limits, faults, and answers in the API's own shapes. */
export async function startShopifyShop(): Promise<ShopifyShop> {
  const text = providerSpecText('shopify/admin-2026-10.excerpt.graphql');
  const schema = text === null ? null : readSchema(text);
  const scripted: ShopFault[] = [];
  let standing: ShopFault | null = null;
  const shop: Omit<ShopifyShop, 'url' | 'stop'> = {
    discounts: new Map(),
    calls: [],
    faults: [],
    tokens: new Set(['shpat_test']),
    next: (...faults) => void scripted.push(...faults),
    always: (fault) => void (standing = fault),
  };
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => receive(req, res, Buffer.concat(chunks).toString()));
  });

  function receive(req: IncomingMessage, res: ServerResponse, body: string): void {
    if (req.url === '/admin/oauth/access_token') {
      const form = new URLSearchParams(body);
      const known = form.get('grant_type') === 'client_credentials' && form.get('client_id') === 'id' && form.get('client_secret') === 'secret';
      return known ? answer(res, 200, { access_token: 'shpat_test', scope: 'write_discounts', expires_in: 86_399 }) : answer(res, 400, {});
    }
    if (req.url !== '/admin/api/2026-10/graphql.json') return answer(res, 404, {});
    if (!shop.tokens.has(String(req.headers['x-shopify-access-token']))) return answer(res, 401, { errors: '[API] Invalid API key or access token' });
    const { query, variables } = JSON.parse(body) as { query: string; variables: Record<string, unknown> };
    const found = schema === null ? [] : faultsOfRequest(schema, query, variables);
    shop.faults.push(...found);
    const field = /\{\s*(\w+)\(/.exec(query)?.[1] ?? '?';
    shop.calls.push(field);
    const fault = scripted.shift() ?? standing;
    if (found.length > 0)
      return answer(res, 200, { errors: found.map((message) => ({ message, extensions: { code: 'argumentLiteralsIncompatible' } })) });
    if (fault === null) return answer(res, 200, { data: { [field]: perform(shop.discounts, field, variables) }, extensions: cost(1_990) });
    if ('done' in fault && fault.done === true) perform(shop.discounts, field, variables);
    misbehave(res, fault, field);
  }

  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return Object.assign(shop, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise<void>((done) => server.close(() => done()));
    },
  });
}

function misbehave(res: ServerResponse, fault: ShopFault, field: string): void {
  switch (fault.act) {
    case 'hang':
      return;
    case 'reset':
      res.socket?.resetAndDestroy();
      return;
    case 'nonsense':
      answer(res, 200, { maintenance: true });
      return;
    case 'status':
      answer(res, fault.status, {}, fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) });
      return;
    case 'errors':
      answer(res, 200, { errors: [{ message: fault.code, extensions: { code: fault.code } }], extensions: cost(0) });
      return;
    case 'userErrors':
      answer(res, 200, {
        data: { [field]: { codeDiscountNode: null, userErrors: [{ field: ['basicCodeDiscount'], message: 'It cannot be.', code: fault.code }] } },
      });
  }
}

function perform(discounts: Map<string, ShopDiscount>, field: string, variables: Record<string, unknown>): unknown {
  switch (field) {
    case 'discountCodeBasicCreate': {
      const asked = variables['discount'] as Omit<ShopDiscount, 'id' | 'closed'>;
      if (discounts.has(asked.code.toUpperCase())) {
        const message = 'Code must be unique. Please try a different code.';
        return { codeDiscountNode: null, userErrors: [{ field: ['basicCodeDiscount', 'code'], message, code: 'TAKEN' }] };
      }
      const id = `gid://shopify/DiscountCodeNode/${discounts.size + 1}`;
      discounts.set(asked.code.toUpperCase(), { ...asked, id, closed: false });
      return { codeDiscountNode: { id }, userErrors: [] };
    }
    case 'codeDiscountNodeByCode': {
      const known = discounts.get(String(variables['code']).toUpperCase());
      if (known === undefined) return null;
      return { id: known.id, codeDiscount: { __typename: 'DiscountCodeBasic', title: known.title, status: known.closed ? 'EXPIRED' : 'ACTIVE' } };
    }
    case 'discountCodeDeactivate': {
      const known = [...discounts.values()].find(({ id }) => id === variables['id']);
      if (known === undefined)
        return { codeDiscountNode: null, userErrors: [{ field: ['id'], message: 'Discount does not exist', code: 'INVALID' }] };
      known.closed = true;
      return { codeDiscountNode: { id: known.id }, userErrors: [] };
    }
    default:
      throw new Error(`the shop knows no ${field}`);
  }
}

const cost = (currentlyAvailable: number) => ({
  cost: { requestedQueryCost: 10, actualQueryCost: 10, throttleStatus: { maximumAvailable: 2_000, currentlyAvailable, restoreRate: 100 } },
});

function answer(res: ServerResponse, status: number, body: Record<string, unknown>, headers: Record<string, string> = {}): void {
  res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}
