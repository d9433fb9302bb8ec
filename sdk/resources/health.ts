import type { Api } from '../api.ts';

export const health = (api: Api) => ({
  /** Whether this process can take requests. */
  ready: api.plain('GET /readyz'),
  /** How every part is doing. */
  get: api.plain('GET /healthz'),
  /** Figures for Prometheus. */
  metrics: api.plain('GET /metrics'),
  /** This description. */
  openApi: api.plain('GET /openapi.json'),
  /** The reference of this API, to browse. */
  reference: api.plain('GET /docs'),
  /** A file of its page. */
  referenceFile: api.plain('GET /docs/{file}'),
  /** The start page. */
  startPage: api.plain('GET /'),
});
