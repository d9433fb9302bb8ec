import type { Api } from '../api.ts';

export const accounts = (api: Api) => ({
  /** Report what an account did. */
  report: api.withBody('POST /api/behaviour'),
  /** Show an account with its behaviour, and what that says about it. */
  get: api.withQuery('GET /api/accounts/{id}'),
});
