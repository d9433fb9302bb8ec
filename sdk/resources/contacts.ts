import type { Api } from '../api.ts';

export const contacts = (api: Api) => ({
  /** Find contacts. */
  list: api.withQuery('GET /api/contacts'),
  all: api.pages('GET /api/contacts'),
  /** Erase a person. */
  erase: api.plain('DELETE /api/contacts/{id}'),
  /** List which people turned out to be one. */
  merges: api.withQuery('GET /api/contacts/merges'),
  allMerges: api.pages('GET /api/contacts/merges'),
  /** Undo a merge. */
  unmerge: api.withBody('POST /api/contacts/{id}/unmerge'),
});
