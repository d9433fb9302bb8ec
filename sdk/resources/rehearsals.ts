import type { Api } from '../api.ts';

export const rehearsals = (api: Api) => ({
  /** Rehearse a sequence for a real person. */
  run: api.withBody('POST /api/rehearsals'),
});
