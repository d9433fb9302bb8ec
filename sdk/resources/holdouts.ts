import type { Api } from '../api.ts';

export const holdouts = (api: Api) => ({
  /** Compare people who got messages with those who were held out. */
  list: api.plain('GET /api/holdouts'),
});
