import type { Api } from '../api.ts';

export const contacts = (api: Api) => ({
  /** Find contacts. */
  list: api.withQuery('GET /api/contacts'),
  all: api.pages('GET /api/contacts'),
  /** Show a contact. */
  get: api.plain('GET /api/contacts/{id}'),
  /** Show everything about a person in order of time. */
  timeline: api.withQuery('GET /api/contacts/{id}/timeline'),
  allTimeline: api.pages('GET /api/contacts/{id}/timeline'),
  /** Make one person of two. */
  merge: api.withBody('POST /api/contacts/{id}/merge'),
  /** Record what a person has said about being contacted. */
  recordConsent: api.withBody('POST /api/contacts/{id}/consents'),
  /** Erase a person. */
  erase: api.plain('DELETE /api/contacts/{id}'),
  /** List which people turned out to be one. */
  merges: api.withQuery('GET /api/contacts/merges'),
  allMerges: api.pages('GET /api/contacts/merges'),
  /** Undo a merge. */
  unmerge: api.withBody('POST /api/contacts/{id}/unmerge'),
});
