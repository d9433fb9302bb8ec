import type { Api } from '../api.ts';

export const sequences = (api: Api) => ({
  /** List the store’s sequences. */
  list: api.withQuery('GET /api/sequences'),
  all: api.pages('GET /api/sequences'),
  /** Create a sequence. */
  create: api.withBody('POST /api/sequences'),
  /** List the versions of a sequence, the latest first. */
  versions: api.withQuery('GET /api/sequences/{slug}/versions'),
  allVersions: api.pages('GET /api/sequences/{slug}/versions'),
  /** Show what a version says. */
  version: api.plain('GET /api/sequences/{slug}/versions/{version}'),
  /** Store the draft of a sequence. */
  storeDraft: api.withBody('PUT /api/sequences/{slug}/draft'),
  /** Show the draft of a sequence. */
  draft: api.plain('GET /api/sequences/{slug}/draft'),
  /** Delete the draft of a sequence. */
  deleteDraft: api.plain('DELETE /api/sequences/{slug}/draft'),
  /** Preview publishing the draft. */
  preview: api.plain('GET /api/sequences/{slug}/preview'),
  /** Publish the draft. */
  publish: api.withBody('POST /api/sequences/{slug}/publish'),
  /** Activate the draft as the next version. */
  activate: api.withBody('POST /api/sequences/{slug}/activate'),
  /** Publish an earlier version again. */
  rollback: api.withBody('POST /api/sequences/{slug}/rollback'),
  /** Let the draft decide as a shadow. */
  startShadow: api.plain('POST /api/sequences/{slug}/shadow'),
  /** Show what a shadow has decided. */
  shadow: api.plain('GET /api/sequences/{slug}/shadow'),
  /** Stop a shadow. */
  stopShadow: api.plain('DELETE /api/sequences/{slug}/shadow'),
  /** List who is or was in a sequence, the newest first. */
  enrollments: api.withQuery('GET /api/sequences/{slug}/enrollments'),
  allEnrollments: api.pages('GET /api/sequences/{slug}/enrollments'),
  /** Begin a sequence about leads by hand. */
  enroll: api.withBody('POST /api/sequences/{slug}/enroll'),
  /** Show a sequence with its steps. */
  get: api.plain('GET /api/sequences/{slug}'),
  /** Change what is said of a sequence. */
  update: api.withBody('PUT /api/sequences/{slug}'),
  /** Delete a sequence of which nothing was published. */
  delete: api.plain('DELETE /api/sequences/{slug}'),
  /** Add a step to the draft. */
  addStep: api.withBody('POST /api/sequences/{slug}/steps'),
  /** Change a step of the draft. */
  changeStep: api.withBody('PUT /api/sequences/{slug}/steps/{stepId}'),
  /** Take a step out of the draft. */
  deleteStep: api.plain('DELETE /api/sequences/{slug}/steps/{stepId}'),
  /** Show what a sequence came to, step by step. */
  stats: api.withQuery('GET /api/sequences/{slug}/stats'),
  /** What became of those in it, and when: conversion and every other exit as competing ends. */
  outcomes: api.withQuery('GET /api/sequences/{slug}/outcomes'),
  /** Show a sequence as a form edits it. */
  form: api.plain('GET /api/sequences/{slug}/form'),
  /** Store a form as the draft. */
  storeForm: api.withBody('PUT /api/sequences/{slug}/form'),
  /** Check a form while it is filled in. */
  checkForm: api.withBody('POST /api/sequences/{slug}/form/check'),
  /** Show what a step of a form says. */
  previewForm: api.withBody('POST /api/sequences/{slug}/form/preview'),
  /** Pause a sequence. */
  pause: api.withBody('POST /api/sequences/{slug}/pause'),
  /** Resume a sequence. */
  resume: api.withBody('POST /api/sequences/{slug}/resume'),
  /** Archive a sequence. */
  archive: api.withBody('POST /api/sequences/{slug}/archive'),
  /** Take a sequence out of the archive. */
  unarchive: api.withBody('POST /api/sequences/{slug}/unarchive'),
  /** End a sequence. */
  end: api.withBody('POST /api/sequences/{slug}/end'),
});
