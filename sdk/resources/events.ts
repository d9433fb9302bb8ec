import type { Api } from '../api.ts';

export const events = (api: Api) => ({
  /** Report events by your own code. */
  create: api.withBody('POST /api/events'),
});
