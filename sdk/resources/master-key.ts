import type { Api } from '../api.ts';

/** With the installation's key. */
export const masterKey = (api: Api) => ({
  /** Show what is sealed under which master key. */
  status: api.plain('GET /api/master-key'),
  /** Seal everything anew under the present master key. */
  reseal: api.plain('POST /api/master-key/reseal'),
});
