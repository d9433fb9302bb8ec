import type { Api } from '../api.ts';

export const variants = (api: Api) => ({
  /** Compare the variants of steps. */
  list: api.plain('GET /api/variants'),
});
