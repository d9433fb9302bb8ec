import type { Api } from '../api.ts';

export const alarms = (api: Api) => ({
  /** Show the figures beside their thresholds, and what is an alarm. */
  get: api.plain('GET /api/alarms'),
  /** List the alarms that were raised. */
  history: api.withQuery('GET /api/alarms/history'),
  allHistory: api.pages('GET /api/alarms/history'),
});
