import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** Counts something that a caller did. @returns seconds to wait, or null while it is within the limit */
export type Limit = (request: FastifyRequest) => Promise<number | null>;

export interface Limits {
  /** Attempts with a wrong API key, by address. */
  failedAuth: Limit;
  /** Links with a token that we did not sign, by address. */
  badToken: Limit;
  /** Uses of one link: whoever hammers it fills our tables. */
  link: Limit;
}

/**
 * What is limited is what fails. A caller with a valid key and a reader with a valid link are never held up by others that share their
 * address: mail providers fetch pictures, and carry out one-click unsubscribes, for millions of readers from a few addresses.
 */
export async function createLimits(app: FastifyInstance): Promise<Limits> {
  await app.register(rateLimit, { global: false });
  const limit = (max: number, keyOf: (request: FastifyRequest) => string): Limit => {
    const count = app.createRateLimit({ max, timeWindow: 60_000, keyGenerator: keyOf });
    return async (request) => {
      const state = await count(request);
      return !state.isAllowed && state.isExceeded ? Math.max(1, state.ttlInSeconds) : null;
    };
  };
  return {
    failedAuth: limit(30, (request) => request.ip),
    badToken: limit(30, (request) => request.ip),
    link: limit(60, (request) => request.url.split('?')[0] ?? request.url),
  };
}
