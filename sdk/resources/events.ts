import type { Api } from '../api.ts';

export const events = (api: Api) => ({
  /** Report events by your own code. */
  create: api.withBody('POST /api/events'),
  /** Read what has happened since, page by page. `client.live` does so as it happens. */
  since: api.withQuery('GET /api/events'),
});
