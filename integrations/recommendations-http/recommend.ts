import { z } from 'zod';
import { outboundFetch } from '../http/outbound.ts';
import { readBounded } from '../http/read-bounded.ts';
import type { RecommendationRequest, Recommender } from '../port.ts';
import { readProperty } from '../read/property.ts';
import { cleanText } from '../untrusted-text.ts';
import type { RecommendationsHttpConfig } from './config.ts';

const longestAnswer = 256 * 1024;
/** More are not read: a chat shows five at once. */
const mostProperties = 100;

/** A property that is no object is left out, as one that cannot be read is. */
const answer = z.object({ message: z.string().nullable().optional(), properties: z.array(z.unknown()) });
const aProperty = z.record(z.string(), z.unknown());

/** Thrown where the source gives no answer that can be used. */
class RecommendationsError extends Error {
  readonly code = 'no_recommendations';
  override readonly name = 'RecommendationsError';
}

/**
 * Asks a source by POST: `{ goal, interest, area, language, limit }`, answered by `{ message?, properties: [{ id, title, area?, price?, currency?,
 * units_left?, url?, observed_at?, expires_at? }] }`. What says no `observed_at` is so now. See docs/recommendations.md
 */
export function createHttpRecommender(config: RecommendationsHttpConfig): Recommender {
  const ask = async (request: RecommendationRequest, timeoutMs: number) => {
    const { goal, interest, area, language, limit } = request;
    const response = await outboundFetch(config.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        ...(config.token === undefined ? {} : { authorization: `Bearer ${config.token}` }),
      },
      body: JSON.stringify({ goal, interest, area, language, limit }),
      // The token goes to the address that was entered, and nowhere else.
      redirect: 'error',
      signal: AbortSignal.timeout(Math.max(1, timeoutMs)),
    });
    if (response.status !== 200) throw new RecommendationsError(`HTTP ${response.status}`);
    const read = answer.safeParse(JSON.parse(await readBounded(response, longestAnswer)));
    if (!read.success) throw new RecommendationsError('the answer has no list "properties"');
    return read.data;
  };
  return {
    async recommend(request, { timeoutMs, nowMs }) {
      const { message, properties } = await ask(request, timeoutMs);
      const times = { observedAtMs: nowMs, validMs: config.validHours * 3_600_000 };
      return {
        message: cleanText(message, 500),
        properties: properties.slice(0, mostProperties).flatMap((one) => {
          const raw = aProperty.safeParse(one);
          const result = raw.success ? readProperty(raw.data, times) : null;
          return result?.ok === true ? [result.property] : [];
        }),
      };
    },
    async check() {
      const { properties } = await ask({ goal: null, interest: null, area: null, language: 'en', limit: 1 }, 10_000);
      return `${new URL(config.url).host}, which answers with ${properties.length} properties`;
    },
  };
}
