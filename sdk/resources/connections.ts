import type { Api } from '../api.ts';

export const connections = (api: Api) => ({
  /** Connect the store to an account of a provider. */
  create: api.withBody('POST /api/connections'),
  /** List the store’s connections. */
  list: api.withQuery('GET /api/connections'),
  all: api.pages('GET /api/connections'),
  /** Show a connection. */
  get: api.plain('GET /api/connections/{id}'),
  /** Change a connection. */
  update: api.withBody('PATCH /api/connections/{id}'),
  /** Remove a connection. */
  delete: api.plain('DELETE /api/connections/{id}'),
  /** Give a connection a new webhook secret. */
  rotate: api.withBody('POST /api/connections/{id}/rotate'),
  /** Send an event through a connection. */
  send: api.withBody('POST /api/connections/{id}/send'),
  /** Let a connection in by OAuth. */
  authorise: api.withBody('POST /api/connections/{id}/authorise'),
  /** Check a connection. */
  check: api.plain('POST /api/connections/{id}/check'),
});
