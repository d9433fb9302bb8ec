import type { Api } from '../api.ts';

export const quarantine = (api: Api) => ({
  /** List deliveries that could not be read. */
  list: api.withQuery('GET /api/quarantine'),
  all: api.pages('GET /api/quarantine'),
  /** Show a delivery that could not be read, with its body. */
  get: api.plain('GET /api/quarantine/{id}'),
  /** Read a delivery of the quarantine again. */
  replay: api.plain('POST /api/quarantine/{id}/replay'),
  /** Dismiss a delivery of the quarantine. */
  dismiss: api.withBody('POST /api/quarantine/{id}/dismiss'),
  /** Read every open delivery of the quarantine again. */
  replayAll: api.plain('POST /api/quarantine/replay'),
});
