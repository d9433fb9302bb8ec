import type { Api } from '../api.ts';

export const waves = (api: Api) => ({
  /** Show what is due, what is late, and what left. */
  get: api.plain('GET /api/waves'),
  /** Show what the last 24 hours came to, with what must be 0. */
  lastDay: api.plain('GET /api/waves/last-day'),
});
