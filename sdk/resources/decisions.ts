import type { Api } from '../api.ts';

export const decisions = (api: Api) => ({
  /** List what was decided about steps. */
  list: api.withQuery('GET /api/decisions'),
  all: api.pages('GET /api/decisions'),
});
