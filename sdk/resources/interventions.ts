import type { Api } from '../api.ts';

export const interventions = (api: Api) => ({
  /** List interventions, the latest first. */
  list: api.withQuery('GET /api/interventions'),
  all: api.pages('GET /api/interventions'),
  /** Show an intervention. */
  get: api.plain('GET /api/interventions/{id}'),
  /** What interventions do, cost and bring in. */
  figures: api.withQuery('GET /api/interventions/figures'),
  /** How often the caps on messages to one person act. */
  caps: api.withQuery('GET /api/caps/figures'),
  /** Let interventions reach a share of people; 0 takes everything back. */
  rollOut: api.withBody('POST /api/interventions/rollout'),
});
