import type { Api } from '../api.ts';

export const scheduler = (api: Api) => ({
  /** Run one reconciling pass over the running sequences. */
  processSequences: api.plain('POST /api/scheduler/process-sequences'),
});
