import type { Api } from '../api.ts';

export const campaigns = (api: Api) => ({
  /** Create a campaign. */
  create: api.withBody('POST /api/campaigns'),
  /** List campaigns, the newest first. */
  list: api.withQuery('GET /api/campaigns'),
  all: api.pages('GET /api/campaigns'),
  /** Show a campaign. */
  get: api.plain('GET /api/campaigns/{id}'),
  /** Change, pause, resume or end a campaign. */
  update: api.withBody('PATCH /api/campaigns/{id}'),
  /** List the leads of a campaign, the newest first. */
  leads: api.withQuery('GET /api/campaigns/{id}/leads'),
  allLeads: api.pages('GET /api/campaigns/{id}/leads'),
  /** Put a lead into a campaign, or begin its sequence anew. */
  addLead: api.withBody('POST /api/campaigns/{id}/leads'),
  /** Begin the sequence of a campaign for the leads on its list. */
  enroll: api.withBody('POST /api/campaigns/{id}/enroll'),
});
