import type { Api, RequestOptions } from '../api.ts';

export const marketTriggers = (api: Api) => ({
  /** Report what moves a market, or have a silent lead recovered. */
  create: api.withBody('POST /api/market-triggers'),
  /** The same from a file: a header with trigger, area, statement, date, source, expires_at. */
  createFromCsv: (csv: string, options?: RequestOptions) =>
    api.request('POST /api/market-triggers', { content: { type: 'text/csv', data: csv } }, options),
});
