import type { Api } from '../api.ts';

export const offers = (api: Api) => ({
  /** List the offers that were granted. */
  list: api.withQuery('GET /api/offers'),
  all: api.pages('GET /api/offers'),
  /** Take an offer back. */
  revoke: api.plain('POST /api/offers/{id}/revoke'),
  /** Add discount codes to the pool. */
  addCodes: api.withBody('POST /api/offers/codes'),
  /** Count the discount codes of the pool. */
  codes: api.plain('GET /api/offers/codes'),
});
