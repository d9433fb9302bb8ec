import type { Api } from '../api.ts';

export const tasks = (api: Api) => ({
  /** List the work for people. */
  list: api.withQuery('GET /api/tasks'),
  all: api.pages('GET /api/tasks'),
  /** Say what came of a task. */
  close: api.withBody('POST /api/tasks/{id}/close'),
});
