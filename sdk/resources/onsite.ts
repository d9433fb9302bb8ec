import type { Api, RequestOptions } from '../api.ts';
import type { TextBody } from '../route-types.ts';

const asText = (body: object) => ({ type: 'text/plain', data: JSON.stringify(body) });

export const onsite = (api: Api) => ({
  /** The script for the store’s pages. */
  script: api.plain('GET /onsite/rekindle.js'),
  /** The worker that shows notifications on a store's pages. */
  pushWorker: api.plain('GET /onsite/push-worker.js'),
  /** A page was viewed. */
  view: (view: TextBody<'POST /onsite/views'>, options?: RequestOptions) => api.request('POST /onsite/views', { content: asText(view) }, options),
  /** What became of a pop-up. */
  report: (report: TextBody<'POST /onsite/reports'>, options?: RequestOptions) =>
    api.request('POST /onsite/reports', { content: asText(report) }, options),
});
