import type { Api } from '../api.ts';

export const integrations = (api: Api) => ({
  /** List what a store can be connected to. */
  list: api.plain('GET /api/integrations'),
});
