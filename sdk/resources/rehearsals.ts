import type { Api } from '../api.ts';

export const rehearsals = (api: Api) => ({
  /** Rehearse a sequence for a real person, or for an invented one. */
  run: api.withBody('POST /api/rehearsals'),
});
