import type { Api } from '../api.ts';

export const recovery = (api: Api) => ({
  /** List the sequences of the store. */
  list: api.withQuery('GET /recovery/sequences'),
  all: api.pages('GET /recovery/sequences'),
  /** Start the sequence of a cart by hand. */
  start: api.withBody('POST /recovery/sequences'),
  /** List what happened to the sequences. */
  events: api.withQuery('GET /recovery/events'),
  allEvents: api.pages('GET /recovery/events'),
  /** Stop a sequence by hand. */
  stop: api.withQuery('POST /recovery/sequences/{id}/stop'),
  /** How the sequences of the last days did. */
  analytics: api.withQuery('GET /recovery/analytics'),
  /** Show how cart recovery is configured. */
  config: api.plain('GET /recovery/config'),
  /** Configure cart recovery. */
  configure: api.withBody('PUT /recovery/config'),
});
