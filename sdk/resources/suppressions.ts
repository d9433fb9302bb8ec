import type { Api } from '../api.ts';

export const suppressions = (api: Api) => ({
  /** List what keeps messages from addresses. */
  list: api.withQuery('GET /api/suppressions'),
  all: api.pages('GET /api/suppressions'),
  /** Lift a suppression. */
  lift: api.plain('POST /api/suppressions/{id}/lift'),
});
