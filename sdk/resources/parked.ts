import type { Api } from '../api.ts';

export const parked = (api: Api) => ({
  /** List what cannot go on by itself. */
  list: api.withQuery('GET /api/parked'),
  all: api.pages('GET /api/parked'),
  /** Resume something parked. */
  resume: api.withBody('POST /api/parked/{id}/resume'),
  /** Skip something parked. */
  skip: api.withBody('POST /api/parked/{id}/skip'),
  /** Cancel something parked. */
  cancel: api.withBody('POST /api/parked/{id}/cancel'),
  /** Resume everything parked of a kind. */
  resumeAll: api.withBody('POST /api/parked/resume'),
  /** Skip everything parked of a kind. */
  skipAll: api.withBody('POST /api/parked/skip'),
  /** Cancel everything parked of a kind. */
  cancelAll: api.withBody('POST /api/parked/cancel'),
});
