import type { Api } from '../api.ts';

export const experiments = (api: Api) => ({
  /** List the tests of variants, those that run and those that have ended. */
  list: api.withQuery('GET /api/experiments'),
  all: api.pages('GET /api/experiments'),
  /** Show a test. */
  get: api.plain('GET /api/experiments/{id}'),
  /** Let the winner of a test take over. */
  approve: api.plain('POST /api/experiments/{id}/approve'),
  /** Leave the variants of a test as they are. */
  dismiss: api.plain('POST /api/experiments/{id}/dismiss'),
});
