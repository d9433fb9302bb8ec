import type { Api } from '../api.ts';

export const explain = (api: Api) => ({
  /** Explain what happened to a person or about a subject. */
  find: api.withQuery('GET /api/explain'),
  /** Explain an enrollment. */
  enrollment: api.plain('GET /api/enrollments/{id}/explain'),
  /** Explain why messages were not sent. */
  summary: api.withQuery('GET /api/explain/summary'),
});
