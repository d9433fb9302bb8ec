import type { Api } from '../api.ts';

export const settings = (api: Api) => ({
  /** Show the store’s settings. */
  get: api.plain('GET /api/settings'),
  /** Change settings. */
  update: api.withBody('PATCH /api/settings'),
  /** List changes of settings, the latest first. */
  history: api.withQuery('GET /api/settings/history'),
  allHistory: api.pages('GET /api/settings/history'),
});
