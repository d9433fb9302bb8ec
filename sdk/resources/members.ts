import type { Api } from '../api.ts';

export const members = (api: Api) => ({
  /** List who may come into the store. */
  list: api.withQuery('GET /api/members'),
  all: api.pages('GET /api/members'),
  /** Change what a member is. */
  update: api.withBody('PATCH /api/members/{id}'),
  /** Remove a member. */
  remove: api.plain('DELETE /api/members/{id}'),
});
