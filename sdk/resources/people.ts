import type { Api } from '../api.ts';

export const people = (api: Api) => ({
  /** Make a link with which a person sets a new password. */
  passwordLink: api.withBody('POST /api/people/password-link'),
  /** Remove a person’s account from the installation. */
  remove: api.withBody('POST /api/people/remove'),
});
