import type { Api } from '../api.ts';

export const invitations = (api: Api) => ({
  /** List invitations. */
  list: api.withQuery('GET /api/invitations'),
  all: api.pages('GET /api/invitations'),
  /** Invite somebody into the store. */
  create: api.withBody('POST /api/invitations'),
  /** Revoke an invitation. */
  revoke: api.plain('DELETE /api/invitations/{id}'),
});
