import type { Api } from '../api.ts';

export const notifications = (api: Api) => ({
  /** List what owners were told of tasks. */
  list: api.withQuery('GET /api/notifications'),
  all: api.pages('GET /api/notifications'),
  /** Try a parked notification again. */
  resume: api.plain('POST /api/notifications/{id}/resume'),
  /** Give a parked notification up. */
  drop: api.plain('POST /api/notifications/{id}/drop'),
  /** Tell an owner of their tasks somewhere. The secret of a webhook is shown once. */
  createTarget: api.withBody('POST /api/notification-targets'),
  /** List where owners are told. */
  targets: api.withQuery('GET /api/notification-targets'),
  allTargets: api.pages('GET /api/notification-targets'),
  /** Get a target. */
  target: api.plain('GET /api/notification-targets/{id}'),
  /** Change a target. */
  updateTarget: api.withBody('PATCH /api/notification-targets/{id}'),
  /** Remove a target. */
  removeTarget: api.plain('DELETE /api/notification-targets/{id}'),
  /** Send a test to a target. */
  checkTarget: api.plain('POST /api/notification-targets/{id}/check'),
  /** Show what notifications say. */
  templates: api.plain('GET /api/notification-templates'),
  /** Write what notifications of a kind say on a channel. */
  putTemplate: api.withBody('PUT /api/notification-templates/{kind}/{channel}'),
  /** Go back to the usual text. */
  removeTemplate: api.plain('DELETE /api/notification-templates/{kind}/{channel}'),
  /** Preview a notification. */
  preview: api.withBody('POST /api/notification-templates/preview'),
});
