import { isIPv6 } from 'node:net';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** Counts something that a caller did. @returns seconds to wait, or null while it is within the limit */
export type Limit = (request: FastifyRequest) => Promise<number | null>;

/** Counts by a verified key. The request's own text would be the caller's choice: one link has many spellings. */
export type KeyedLimit = (request: FastifyRequest, key: string) => Promise<number | null>;

export interface Limits {
  /** Attempts with a wrong API key, by address. */
  failedAuth: Limit;
  /** Links with a token that we did not sign, by address. */
  badToken: Limit;
  /** Page views that a store's script tells of, by address: anybody may send them. An office behind one address stays below it. */
  pageViews: Limit;
  /** Uses of one link, by what its token names, because each use writes a row. */
  link: KeyedLimit;
}

/**
 * Only failures are limited by address. Callers with a valid key and readers with a valid link are never held up by others behind the same
 * address: email providers fetch pictures, and carry out one-click unsubscribes, for millions of readers from a few addresses.
 */
export async function createLimits(app: FastifyInstance): Promise<Limits> {
  await app.register(rateLimit, { global: false });
  const limit = (max: number): KeyedLimit => {
    const keys = new WeakMap<FastifyRequest, string>();
    const count = app.createRateLimit({ max, timeWindow: 60_000, keyGenerator: (request) => keys.get(request) ?? '' });
    return async (request, key) => {
      keys.set(request, key);
      const state = await count(request);
      return !state.isAllowed && state.isExceeded ? Math.max(1, state.ttlInSeconds) : null;
    };
  };
  const byAddress = (max: number): Limit => {
    const counted = limit(max);
    return (request) => counted(request, networkOf(request.ip));
  };
  return { failedAuth: byAddress(30), badToken: byAddress(30), pageViews: byAddress(600), link: limit(60) };
}

/** The owner of one IPv6 address has all 2^64 of its network, so they count as one. */
export function networkOf(address: string): string {
  if (!isIPv6(address) || /^::ffff:\d+\./i.test(address)) return address;
  const [head = '', tail] = address.toLowerCase().split('::');
  const groups = (text: string) => text.split(':').filter((group) => group !== '');
  const [first, last] = [groups(head), groups(tail ?? '')];
  const all = tail === undefined ? first : [...first, ...Array.from({ length: 8 - first.length - last.length }, () => '0'), ...last];
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
