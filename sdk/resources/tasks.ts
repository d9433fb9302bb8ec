import type { Api } from '../api.ts';

export const tasks = (api: Api) => ({
  /** List the work for people. */
  list: api.withQuery('GET /api/tasks'),
  all: api.pages('GET /api/tasks'),
  /** Take a task. */
  accept: api.withBody('POST /api/tasks/{id}/accept'),
  /** Give a task to somebody else. */
  reassign: api.withBody('POST /api/tasks/{id}/reassign'),
  /** Put a task off. */
  snooze: api.withBody('POST /api/tasks/{id}/snooze'),
  /** Hand somebody over to a manager. */
  escalate: api.withBody('POST /api/escalations'),
  /** Show how many accounts were escalated. */
  escalationShare: api.plain('GET /api/escalations/share'),
  /** Say what came of a task. */
  close: api.withBody('POST /api/tasks/{id}/close'),
});
