import type { Api } from '../api.ts';

export const messages = (api: Api) => ({
  /** List messages. */
  list: api.withQuery('GET /api/messages'),
  all: api.pages('GET /api/messages'),
});
