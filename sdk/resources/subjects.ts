import type { Api } from '../api.ts';

export const subjects = (api: Api) => ({
  /** List what sequences may be about. */
  list: api.withQuery('GET /api/subjects'),
  all: api.pages('GET /api/subjects'),
  /** Show a subject. */
  get: api.plain('GET /api/subjects/{id}'),
});
