import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { z } from 'zod';
import type { Deps } from '../../operations/deps.ts';
import { installationId, keepAnswer, type KeyedRequest, renewLease, type TakenKey, takeKey } from '../../operations/requests/keyed-requests.ts';
import { lineField } from '../routes/fields.ts';
import { findCaller } from './authenticate.ts';
import { problem, problems } from './errors.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * How a POST treats an `Idempotency-Key`, where not in the usual way. `repeatable`: doing it again does nothing twice, so that an attempt that was cut off is
     * repeated. `none`: it takes no key.
     */
    idempotency?: 'repeatable' | 'none';
  }
}

const header = lineField(200)
  .optional()
  .meta({ description: 'Chosen by the caller: the same request with the same key does nothing twice, and answers as the first did, for 24 hours.' });

/** The caller's `Idempotency-Key`, for operations that note it with what they did; null: none was given. */
export function idempotencyKeyOf({ headers }: FastifyRequest): string | null {
  const key = headers['idempotency-key'];
  return typeof key === 'string' ? key : null;
}

export const keyReused = (reply: FastifyReply): FastifyReply =>
  problem(
    reply,
    422,
    'idempotency_key_reused',
    'This Idempotency-Key was used for another request. Use a new one for each request, and the same one only to repeat it.',
  );

const running = new WeakMap<FastifyRequest, { asked: KeyedRequest; run: string; endLease(): void }>();

const takesKey = ({ method, config }: Pick<RouteOptions, 'method' | 'config'>) =>
  [method].flat().includes('POST') && (config as { idempotency?: string } | undefined)?.idempotency !== 'none';

/** Describe the key for a route that takes one. */
export function describeIdempotency(route: RouteOptions): void {
  if (!takesKey(route)) return;
  const headers = route.schema?.headers instanceof z.ZodObject ? route.schema.headers : z.object({});
  const { response } = route.schema ?? {};
  const answers = typeof response === 'object' && response !== null ? response : {};
  Object.assign((route.schema ??= {}), {
    headers: headers.extend({ 'idempotency-key': header }),
    response: { ...problems(400, 409, 422), ...answers },
  });
}

/** Everything that was asked for. A body that is read as a stream is known by its length alone. */
function digestOf({ method, url, body, headers }: FastifyRequest): string {
  const streamed = typeof body === 'object' && body !== null && 'pipe' in body;
  const asked = streamed ? { type: headers['content-type'], length: headers['content-length'] } : (body ?? null);
  return createHash('sha256')
    .update(`${method} ${url}\n${JSON.stringify(asked)}`)
    .digest('base64url');
}

/** For how long a repeat waits for the answer of the request that it repeats, and how often it looks. */
const [patienceMs, lookEveryMs] = [3_000, 100];

async function takeWaiting(deps: Pick<Deps, 'db' | 'sealing' | 'clock'>, asked: KeyedRequest): Promise<TakenKey> {
  const beganMs = deps.clock.monotonicMs();
  for (;;) {
    const taken = await takeKey(deps, asked);
    if (taken.kind !== 'running' || deps.clock.monotonicMs() - beganMs > patienceMs) return taken;
    await new Promise((done) => setTimeout(done, lookEveryMs));
  }
}

/**
 * Hooks by which a POST with an `Idempotency-Key` is carried out once. They run behind the guard and the validation: who may not ask gets no kept answer,
 * and a request that has the wrong shape takes no key.
 * @param renewEveryMs - how often a request that is being carried out says so
 * Source: docs/rules.md#rule-91, draft-ietf-httpapi-idempotency-key-header
 */
export function idempotency(deps: Pick<Deps, 'db' | 'sealing' | 'clock' | 'log'>, renewEveryMs?: number) {
  return {
    async begin(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
      const key = idempotencyKeyOf(request);
      const { config, method } = request.routeOptions;
      if (key === null || !takesKey({ method: method ?? '', config })) return undefined;
      const caller = findCaller(request);
      const asked: KeyedRequest = {
        tenantId: caller?.tenantId ?? installationId,
        caller: caller?.actor ?? 'installation_key',
        key,
        digest: digestOf(request),
        repeatable: config.idempotency === 'repeatable',
      };
      const taken = await takeWaiting(deps, asked);
      switch (taken.kind) {
        case 'run':
          running.set(request, { asked, run: taken.run, endLease: renewLease(deps, asked, taken.run, renewEveryMs) });
          return undefined;
        case 'answered': {
          const { status, headers, body } = taken.answer;
          reply.code(status).headers(headers).header('idempotency-replayed', 'true');
          return body === '' ? reply.send() : reply.send(Buffer.from(body));
        }
        case 'running':
          return problem(
            reply.header('retry-after', '1'),
            409,
            'idempotency_key_in_use',
            'The first request with this Idempotency-Key is still being carried out. Repeat this one in a moment: it gets the same answer.',
          );
        case 'cut_off':
          return problem(
            reply,
            409,
            'outcome_unknown',
            'The first request with this Idempotency-Key was cut off before it was answered, and may have taken effect. Look whether it did, and use a new key.',
          );
        case 'key_reused':
          return keyReused(reply);
      }
    },

    async keep(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
      const own = running.get(request);
      if (own === undefined) return payload;
      running.delete(request);
      own.endLease();
      const text =
        payload === undefined || payload === null ? '' : typeof payload === 'string' || Buffer.isBuffer(payload) ? payload.toString() : null;
      const status = reply.statusCode;
      // Nothing was done where it failed or was put off. Of a stream nothing could be kept.
      const answer = status >= 500 || status === 429 || text === null ? null : { status, headers: keptHeaders(reply), body: text };
      // The request has taken effect: its caller gets the answer, and a repeat hears `outcome_unknown` in the end.
      await keepAnswer(deps, own.asked, own.run, answer).catch((err: unknown) => deps.log.error({ err }, 'an answer could not be kept'));
      return payload;
    },
  };
}

function keptHeaders(reply: FastifyReply): Record<string, string> {
  return Object.fromEntries(
    ['content-type', 'location', 'link'].flatMap((name) => {
      const value = reply.getHeader(name);
      return value === undefined ? [] : [[name, String(value)]];
    }),
  );
}
