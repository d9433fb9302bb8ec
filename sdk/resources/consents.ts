import type { Api } from '../api.ts';

export const consents = (api: Api) => ({
  /** Show what a person has stated about being contacted. */
  list: api.withQuery('GET /api/consents'),
  all: api.pages('GET /api/consents'),
});
