import type { Api } from '../api.ts';

export const audit = (api: Api) => ({
  /** List who changed what, the latest first. */
  list: api.withQuery('GET /api/audit'),
  all: api.pages('GET /api/audit'),
});
