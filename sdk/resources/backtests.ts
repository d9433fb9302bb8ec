import type { Api } from '../api.ts';

export const backtests = (api: Api) => ({
  /** Run a sequence over the store’s own history. */
  start: api.withBody('POST /api/backtests'),
  /** List backtests, the newest first. */
  list: api.withQuery('GET /api/backtests'),
  all: api.pages('GET /api/backtests'),
  /** Show a backtest. */
  get: api.plain('GET /api/backtests/{id}'),
});
