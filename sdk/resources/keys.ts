import type { Api } from '../api.ts';

export const keys = (api: Api) => ({
  /** List the store’s API keys. */
  list: api.withQuery('GET /api/keys'),
  all: api.pages('GET /api/keys'),
  /** Issue an API key. */
  create: api.withBody('POST /api/keys'),
  /** Replace an API key by one of the same name and role. */
  rotate: api.withBody('POST /api/keys/{id}/rotate'),
  /** Revoke an API key. */
  revoke: api.plain('DELETE /api/keys/{id}'),
});
