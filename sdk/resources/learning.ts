import type { Api } from '../api.ts';

export const learning = (api: Api) => ({
  /** What the results teach, on one page. */
  get: api.withQuery('GET /api/learning'),
  /** Which words and phrases texts of a channel do better with. */
  phrases: api.withQuery('GET /api/learning/phrases'),
  /** Delays of steps that were drawn by chance. */
  delays: api.plain('GET /api/learning/delays'),
  /** What messages come to by the hour of the local week. */
  hours: api.plain('GET /api/learning/hours'),
  /** Where each sequence loses most, and what to try there. */
  dropOffs: api.withQuery('GET /api/learning/drop-offs'),
  /** Sequences, campaigns, sources or imports, ranked. */
  leaderboards: api.withQuery('GET /api/learning/leaderboards'),
});
