import type { Api } from '../api.ts';

export const erasures = (api: Api) => ({
  /** Erase a person in the background, or count with `dry_run`. */
  request: api.withBody('POST /api/contacts/{id}/erase'),
  /** List erasures with their receipts, the latest first. */
  list: api.withQuery('GET /api/erasures'),
  all: api.pages('GET /api/erasures'),
  /** Show an erasure with its receipt. */
  get: api.plain('GET /api/erasures/{id}'),
});
