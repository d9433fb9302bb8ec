import type { Api } from '../api.ts';

export const previews = (api: Api) => ({
  /** Show what a step says. */
  get: api.withQuery('GET /api/sequences/{slug}/steps/{step}/preview'),
  /** Send a step to yourself. */
  sendTest: api.withBody('POST /api/sequences/{slug}/steps/{step}/send-test'),
});
