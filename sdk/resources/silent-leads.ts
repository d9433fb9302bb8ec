import type { Api } from '../api.ts';

export const silentLeads = (api: Api) => ({
  /** What recovery does for silent leads. */
  figures: api.withQuery('GET /api/silent-leads/figures'),
});
