import type { Api } from '../api.ts';

export const experiments = (api: Api) => ({
  /** List the tests of variants and scripts, those that run and those that have ended. */
  list: api.withQuery('GET /api/experiments'),
  all: api.pages('GET /api/experiments'),
  /** Compare scripts of a campaign on one channel. */
  create: api.withBody('POST /api/experiments'),
  /** Stop a test of a campaign before anything is certain. */
  stop: api.plain('POST /api/experiments/{id}/stop'),
  /** Show a test. */
  get: api.plain('GET /api/experiments/{id}'),
  /** Show how a test came to stand where it does, day by day. */
  history: api.plain('GET /api/experiments/{id}/history'),
  /** Let the winner of a test take over. */
  approve: api.plain('POST /api/experiments/{id}/approve'),
  /** Leave the variants of a test as they are. */
  dismiss: api.plain('POST /api/experiments/{id}/dismiss'),
});
