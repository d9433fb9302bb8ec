import type { Api } from '../api.ts';

export const facts = (api: Api) => ({
  /** State facts. */
  record: api.withBody('POST /api/facts'),
  /** List facts. */
  list: api.withQuery('GET /api/facts'),
  all: api.pages('GET /api/facts'),
});
