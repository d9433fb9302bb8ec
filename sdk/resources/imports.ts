import type { Api, RequestOptions } from '../api.ts';
import type { Query } from '../route-types.ts';

export const imports = (api: Api) => ({
  /** Import leads from a CSV file, however long its transfer takes. */
  create: (
    file: string | Uint8Array<ArrayBuffer> | Blob | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>,
    query: Query<'POST /api/imports'> = {},
    options: RequestOptions = {},
  ) => api.request('POST /api/imports', { query, content: { type: 'text/csv', data: file } }, { timeoutMs: null, ...options }),
  /** List imports, the newest first. */
  list: api.withQuery('GET /api/imports'),
  all: api.pages('GET /api/imports'),
  /** Show how far an import is. */
  get: api.plain('GET /api/imports/{id}'),
  /** List what is wrong with the lines of an import. */
  errors: api.withQuery('GET /api/imports/{id}/errors'),
  allErrors: api.pages('GET /api/imports/{id}/errors'),
  /** End an import; who is a lead already stays one. */
  cancel: api.plain('POST /api/imports/{id}/cancel'),
});
