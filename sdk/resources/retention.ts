import type { Api } from '../api.ts';

export const retention = (api: Api) => ({
  /** Take away what is older than the settings keep, or count it with `dry_run`. */
  run: api.withBody('POST /api/retention/run'),
});
