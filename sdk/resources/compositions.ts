import type { Api } from '../api.ts';

export const compositions = (api: Api) => ({
  /** List what models have written. */
  list: api.withQuery('GET /api/compositions'),
  all: api.pages('GET /api/compositions'),
  /** Approve a text, as it is or edited. */
  approve: api.withBody('POST /api/compositions/{id}/approve'),
  /** Reject a text. */
  reject: api.withBody('POST /api/compositions/{id}/reject'),
});
