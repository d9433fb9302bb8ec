import type { Api } from '../api.ts';

export const bulkActions = (api: Api) => ({
  /** Stop, pause, resume or move many enrollments; with `dry_run`, only count them. */
  start: api.withBody('POST /api/bulk-actions'),
  /** List bulk actions, the newest first. */
  list: api.withQuery('GET /api/bulk-actions'),
  all: api.pages('GET /api/bulk-actions'),
  /** Show a bulk action. */
  get: api.plain('GET /api/bulk-actions/{id}'),
  /** End a bulk action; what it did stays. */
  cancel: api.plain('POST /api/bulk-actions/{id}/cancel'),
});
