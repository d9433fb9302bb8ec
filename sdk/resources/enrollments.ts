import type { Api } from '../api.ts';

export const enrollments = (api: Api) => ({
  /** Start a sequence by hand. */
  create: api.withBody('POST /api/enrollments'),
  /** Find enrollments. */
  list: api.withQuery('GET /api/enrollments'),
  all: api.pages('GET /api/enrollments'),
  /** Start the sequence of an enrollment again. */
  reEnroll: api.withBody('POST /api/enrollments/{id}/re-enroll'),
  /** Take a conversation over. */
  takeover: api.plain('POST /api/enrollments/{id}/takeover'),
  /** Release a conversation. */
  release: api.plain('POST /api/enrollments/{id}/release'),
  /** Pause an enrollment. */
  pause: api.withBody('POST /api/enrollments/{id}/pause'),
  /** Resume an enrollment. */
  resume: api.withBody('POST /api/enrollments/{id}/resume'),
  /** Skip the next step. */
  skip: api.withBody('POST /api/enrollments/{id}/skip'),
  /** Snooze an enrollment. */
  snooze: api.withBody('POST /api/enrollments/{id}/snooze'),
  /** Send the next step now. */
  sendNow: api.withBody('POST /api/enrollments/{id}/send-now'),
  /** Stop an enrollment. */
  stop: api.withBody('POST /api/enrollments/{id}/stop'),
  /** Move an enrollment to another version or step. */
  move: api.withBody('POST /api/enrollments/{id}/move'),
  /** Show an enrollment. */
  get: api.plain('GET /api/enrollments/{id}'),
});
