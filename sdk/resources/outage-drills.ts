import type { Api } from '../api.ts';

export const outageDrills = (api: Api) => ({
  /** Practise an outage. */
  start: api.withBody('POST /api/outage-drills'),
  /** List the outages that were practised. */
  list: api.withQuery('GET /api/outage-drills'),
  all: api.pages('GET /api/outage-drills'),
  /** Show one: what it holds, what expires, what was released. */
  get: api.plain('GET /api/outage-drills/{id}'),
  /** End one before its time. */
  end: api.plain('POST /api/outage-drills/{id}/end'),
});
