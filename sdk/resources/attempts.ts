import type { Api } from '../api.ts';

export const attempts = (api: Api) => ({
  /** List attempts to reach somebody, the newest first. */
  list: api.withQuery('GET /api/attempts'),
  all: api.pages('GET /api/attempts'),
  /** Show an attempt. */
  get: api.plain('GET /api/attempts/{id}'),
});
