import type { Api } from '../api.ts';

export const conversions = (api: Api) => ({
  /** List conversions, the newest first. */
  list: api.withQuery('GET /api/conversions'),
  all: api.pages('GET /api/conversions'),
  /** Report a conversion by hand. */
  report: api.withBody('POST /api/conversions'),
  /** Show a conversion. */
  get: api.plain('GET /api/conversions/{id}'),
  /** Match a conversion with its lead. */
  match: api.withBody('POST /api/conversions/{id}/match'),
});
