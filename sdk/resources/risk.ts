import type { Api } from '../api.ts';

export const risk = (api: Api) => ({
  /** Show what is predicted, by what, and how many accounts are in each band. */
  get: api.plain('GET /api/risk'),
  /** Assess an account. */
  assess: api.withBody('POST /api/risk/assessments'),
  /** Begin the sequence of an account’s band. */
  intervene: api.withBody('POST /api/risk/interventions'),
  /** List assessments. */
  assessments: api.withQuery('GET /api/risk/assessments'),
  allAssessments: api.pages('GET /api/risk/assessments'),
  /** Assess the whole portfolio. */
  assessPortfolio: api.plain('POST /api/risk/runs'),
  /** List assessments of the portfolio. */
  runs: api.withQuery('GET /api/risk/runs'),
  allRuns: api.pages('GET /api/risk/runs'),
  /** Show an assessment of the portfolio. */
  run: api.plain('GET /api/risk/runs/{id}'),
  /** Show the models that were learned. */
  models: api.plain('GET /api/risk/models'),
  /** Let an earlier model assess from now on. */
  useModel: api.withBody('POST /api/risk/models/use'),
});
