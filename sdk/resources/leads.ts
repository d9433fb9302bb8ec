import type { Api } from '../api.ts';

export const leads = (api: Api) => ({
  /** Find leads. */
  list: api.withQuery('GET /api/leads'),
  all: api.pages('GET /api/leads'),
  /** Create a lead. */
  create: api.withBody('POST /api/leads'),
  /** Show a lead with its status, enrollments and attempts. */
  get: api.plain('GET /api/leads/{id}'),
  /** Show a lead’s silence: its stage, its attempts and its last contact. */
  abandonment: api.plain('GET /api/leads/{id}/abandonment'),
  /** Say whether a lead may be contacted, whether the hour allows it, and when it is next possible. */
  contactability: api.withQuery('GET /api/leads/{id}/contactability'),
  /** Make a link that leads a lead into the chat with the bot. */
  createTelegramLink: api.plain('POST /api/leads/{id}/telegram-link'),
});
