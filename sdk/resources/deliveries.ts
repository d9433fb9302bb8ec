import type { Api } from '../api.ts';

export const deliveries = (api: Api) => ({
  /** List webhook deliveries and what became of them. */
  list: api.withQuery('GET /api/deliveries'),
  all: api.pages('GET /api/deliveries'),
});
