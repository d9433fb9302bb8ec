import type { Api } from '../api.ts';

export const attribution = (api: Api) => ({
  /** What messages are credited with, and what they caused. */
  get: api.withQuery('GET /api/attribution'),
});
