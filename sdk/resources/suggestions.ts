import type { Api } from '../api.ts';

export const suggestions = (api: Api) => ({
  /** Comparisons that the results suggest. Nothing of them is in use. */
  list: api.plain('GET /api/suggestions'),
  /** Have a model write the text that one needs. Nothing is stored. */
  draft: api.plain('POST /api/suggestions/{id}/draft'),
  /** Publish one, as a new version of its sequence, with the text that it needs: its test begins with the first person. */
  approve: api.withBody('POST /api/suggestions/{id}/approve'),
  /** Not again while it rests on the same figures. */
  dismiss: api.withBody('POST /api/suggestions/{id}/dismiss'),
  /** Who dismissed what, when and why. */
  dismissed: api.plain('GET /api/suggestions/dismissed'),
});
