import type { Api } from '../api.ts';

export const exports = (api: Api) => ({
  /** Gather everything about a person. */
  request: api.plain('POST /api/contacts/{id}/export'),
  /** List exports, the latest first. */
  list: api.withQuery('GET /api/exports'),
  all: api.pages('GET /api/exports'),
  /** Show an export. */
  get: api.plain('GET /api/exports/{id}'),
  /** Download an export. */
  download: api.plain('GET /api/exports/{id}/document'),
});
