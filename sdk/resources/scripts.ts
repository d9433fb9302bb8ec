import type { Api } from '../api.ts';

export const scripts = (api: Api) => ({
  /** Create a script. */
  create: api.withBody('POST /api/scripts'),
  /** List scripts, the newest first. */
  list: api.withQuery('GET /api/scripts'),
  all: api.pages('GET /api/scripts'),
  /** Show a script. */
  get: api.plain('GET /api/scripts/{id}'),
  /** Change a script. */
  update: api.withBody('PATCH /api/scripts/{id}'),
  /** Take a script out of use. */
  delete: api.plain('DELETE /api/scripts/{id}'),
});
