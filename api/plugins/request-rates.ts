import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Deps } from '../../operations/deps.ts';
import { RequestRates } from '../../operations/requests/request-rates.ts';
import { callerOf } from './authenticate.ts';
import { problem } from './errors.ts';

/**
 * A hook that counts the requests of each caller, says in `RateLimit` how they stand, and refuses those beyond the limit.
 * Source: docs/rules.md#rule-92, draft-ietf-httpapi-ratelimit-headers
 */
export function limitRequests(deps: Pick<Deps, 'db' | 'clock'>) {
  const rates = new RequestRates(deps);
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const { tenantId, actor } = callerOf(request);
    const keyId = /^api_key:(.+)$/.exec(actor)?.[1] ?? null;
    const { allowed, most, left, secondsLeft } = await rates.take(tenantId, actor, keyId);
    reply.headers({ 'ratelimit-policy': `"minute";q=${most};w=60`, ratelimit: `"minute";r=${left};t=${secondsLeft}` });
    if (allowed) return undefined;
    return problem(
      reply.header('retry-after', String(secondsLeft)),
      429,
      'rate_limited',
      `This key has made its ${most} requests of this minute. Wait ${secondsLeft} s, or ask an owner of the store for more (\`requestsPerMinute\`).`,
    );
  };
}
