import type { Api } from '../api.ts';

export const bulkEnrollments = (api: Api) => ({
  /** Take old carts or leads into a sequence. */
  start: api.withBody('POST /api/bulk-enrollments'),
  /** List bulk enrollments, the newest first. */
  list: api.withQuery('GET /api/bulk-enrollments'),
  all: api.pages('GET /api/bulk-enrollments'),
  /** Show a bulk enrollment. */
  get: api.plain('GET /api/bulk-enrollments/{id}'),
  /** Hold a bulk enrollment: nobody more is taken in. */
  pause: api.plain('POST /api/bulk-enrollments/{id}/pause'),
  /** Go on with a bulk enrollment. */
  resume: api.plain('POST /api/bulk-enrollments/{id}/resume'),
  /** End a bulk enrollment; who is in the sequence stays in it. */
  cancel: api.plain('POST /api/bulk-enrollments/{id}/cancel'),
});
