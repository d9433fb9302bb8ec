import { z } from 'zod';
import { outboundFetch } from '../http/outbound.ts';
import { adminUrlOf, type ShopifyOffersConfig } from './config.ts';

/** For one call, however its answer comes. */
const timeoutMs = 8_000;
const longestWaitMs = 300_000;

/** Thrown when the shop gives no clear answer: it is away, busy, or in trouble. What was asked for may have happened. */
export class ShopAwayError extends Error {
  readonly code = 'shop_away';
  override readonly name = 'ShopAwayError';
  /** When it may be asked again; null: it did not say. */
  readonly retryAfterMs: number | null;
  constructor(message: string, { cause, retryAfterMs = null }: { cause?: unknown; retryAfterMs?: number | null } = {}) {
    super(message, { cause });
    this.retryAfterMs = retryAfterMs;
  }
}

/** Thrown when the shop refuses the call itself: the token is wrong, lacks a scope, or the shop is closed. Certainly nothing happened. */
export class ShopRefusesError extends Error {
  readonly code = 'shop_refuses';
  override readonly name = 'ShopRefusesError';
}

const answerSchema = z.object({
  data: z.record(z.string(), z.unknown()).nullish(),
  errors: z
    .union([
      z.string(),
      z.array(z.object({ message: z.string().catch(''), extensions: z.object({ code: z.string().optional().catch(undefined) }).optional() })),
    ])
    .optional(),
  extensions: z
    .object({
      cost: z.object({
        requestedQueryCost: z.number(),
        throttleStatus: z.object({ currentlyAvailable: z.number(), restoreRate: z.number().positive() }),
      }),
    })
    .optional()
    .catch(undefined),
});
const tokenSchema = z.object({ access_token: z.string().min(1) });

/** Asks the shop's Admin API, with a token of its own. @returns `data` @throws ShopAwayError, ShopRefusesError */
export type AskShop = (query: string, variables: Readonly<Record<string, unknown>>) => Promise<Record<string, unknown>>;

export function adminApiOf(config: ShopifyOffersConfig): AskShop {
  const admin = adminUrlOf(config);
  let token = config.accessToken ?? null;
  return async (query, variables) => {
    token ??= await exchange(config, admin);
    const { status, text, retryAfterMs } = await post(`${admin}/api/${config.apiVersion}/graphql.json`, JSON.stringify({ query, variables }), {
      'content-type': 'application/json',
      'x-shopify-access-token': token,
    });
    if (status !== 200) throw failureOf(status, retryAfterMs);
    return dataOf(text);
  };
}

async function exchange({ clientId = '', clientSecret = '' }: ShopifyOffersConfig, admin: string): Promise<string> {
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret });
  const { status, text, retryAfterMs } = await post(`${admin}/oauth/access_token`, form.toString(), {
    'content-type': 'application/x-www-form-urlencoded',
  });
  if (status !== 200) throw failureOf(status, retryAfterMs);
  const parsed = tokenSchema.safeParse(jsonOf(text));
  if (!parsed.success) throw new ShopAwayError('the answer holds no token');
  return parsed.data.access_token;
}

async function post(
  url: string,
  body: string,
  headers: Record<string, string>,
): Promise<{ status: number; text: string; retryAfterMs: number | null }> {
  try {
    // Credentials go to the address that was entered, and nowhere else.
    const response = await outboundFetch(url, {
      method: 'POST',
      body,
      headers: { accept: 'application/json', ...headers },
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
    const retryAfterMs = Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds * 1_000, longestWaitMs) : null;
    return { status: response.status, text: await response.text(), retryAfterMs };
  } catch (cause) {
    throw new ShopAwayError(cause instanceof Error ? cause.name : 'no answer', { cause });
  }
}

/** Statuses by which the shop says for good that it did nothing. 402 and 423: the shop itself is closed. */
const refusals = new Set([400, 401, 402, 403, 404, 406, 414, 415, 422, 423]);

const failureOf = (status: number, retryAfterMs: number | null): Error =>
  refusals.has(status) ? new ShopRefusesError(`HTTP ${status}`) : new ShopAwayError(`HTTP ${status}`, { retryAfterMs });

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ShopAwayError('the answer is no JSON', { cause });
  }
}

/** GraphQL answers 200 also to what failed. */
function dataOf(text: string): Record<string, unknown> {
  const parsed = answerSchema.safeParse(jsonOf(text));
  if (!parsed.success) throw new ShopAwayError('the answer is none of GraphQL');
  const { data, errors, extensions } = parsed.data;
  if (typeof errors === 'string') throw new ShopAwayError(errors.slice(0, 200));
  const codes = (errors ?? []).map((error) => error.extensions?.code ?? '');
  if (codes.includes('THROTTLED')) {
    const cost = extensions?.cost;
    const missing = cost === undefined ? 0 : cost.requestedQueryCost - cost.throttleStatus.currentlyAvailable;
    const waitMs = cost === undefined ? null : Math.ceil((Math.max(0, missing) / cost.throttleStatus.restoreRate) * 1_000);
    throw new ShopAwayError('THROTTLED', { retryAfterMs: waitMs === null ? null : Math.min(waitMs, longestWaitMs) });
  }
  if (codes.includes('ACCESS_DENIED')) throw new ShopRefusesError('ACCESS_DENIED: the token lacks the scope write_discounts');
  if (codes.length > 0)
    throw new ShopAwayError(
      (errors ?? [])
        .map(({ message }) => message)
        .join('; ')
        .slice(0, 200),
    );
  if (data == null) throw new ShopAwayError('the answer holds no data');
  return data;
}
