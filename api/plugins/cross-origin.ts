import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

/**
 * Let pages of these origins call the API with a key of their own. Never with cookies: who is signed in stays with our own pages. One setting for the
 * whole installation, because a browser asks first, and without a key, so that no store is known then.
 * @param origins - such as `https://app.example.com`; empty: no page of another site may read an answer
 */
export async function allowOrigins(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return;
  const open = {
    origin: [...origins],
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: ['authorization', 'content-type', 'idempotency-key', 'if-match', 'if-none-match', 'x-api-key', 'x-request-id'],
    exposedHeaders: ['etag', 'idempotency-replayed', 'link', 'ratelimit', 'ratelimit-policy', 'retry-after', 'x-request-id'],
    credentials: false,
    maxAge: 600,
    strictPreflight: false,
  };
  await app.register(cors, {
    // The pop-up's addresses answer for the origins of each site themselves.
    delegator: (request, done) => done(null, isApi(request.url ?? '') ? open : { origin: false }),
  });
}

const isApi = (url: string) => /^\/(?:api|recovery|mcp|openapi\.json)(?:[/?]|$)/.test(url) && !/^\/api\/(?:session|webhooks)(?:[/?]|$)/.test(url);
