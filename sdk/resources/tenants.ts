import type { Api } from '../api.ts';

export const tenants = (api: Api) => ({
  /** Make a tenant: a store, or an agency’s client. */
  create: api.withBody('POST /api/tenants'),
  /** List tenants. */
  list: api.withQuery('GET /api/tenants'),
  all: api.pages('GET /api/tenants'),
  /** Show a tenant. */
  get: api.plain('GET /api/tenants/{tenant}'),
  /** Rename a tenant. */
  update: api.withBody('PATCH /api/tenants/{tenant}'),
  /** List a tenant’s API keys. */
  keys: api.withQuery('GET /api/tenants/{tenant}/keys'),
  allKeys: api.pages('GET /api/tenants/{tenant}/keys'),
  /** Issue one more API key. */
  createKey: api.withBody('POST /api/tenants/{tenant}/keys'),
  /** Revoke an API key. */
  revokeKey: api.plain('DELETE /api/tenants/{tenant}/keys/{key}'),
});
