import type { Api, RequestOptions } from '../api.ts';

/** Signing in and out, in a browser: the cookie is its own. */
export const session = (api: Api) => ({
  /** Sign in with a password. */
  signIn: api.withBody('POST /api/session'),
  /** Who is signed in, and to which stores. */
  get: api.plain('GET /api/session'),
  /** Sign out. */
  signOut: api.plain('DELETE /api/session'),
  /** Change one’s password. */
  changePassword: api.withBody('PUT /api/session/password'),
  /** Have a link to a new password sent. */
  forgotPassword: api.withBody('POST /api/session/forgotten-password'),
  /** The page to ask for it. */
  forgottenPasswordPage: api.plain('GET /forgotten-password'),
  /** Set a new password with a link. */
  resetPassword: api.withBody('POST /api/session/password-link'),
  /** List one’s open sessions. */
  listOpen: api.plain('GET /api/session/open'),
  /** End one of one’s sessions. */
  end: api.plain('DELETE /api/session/open/{id}'),
  /** Begin to sign in at the identity provider. */
  beginOidc: api.withBody('POST /api/session/oidc'),
  /** The way back from the identity provider: answers with the address that it leads to. A browser goes there by itself. */
  finishOidc: (query: { code?: string; state?: string }, options?: RequestOptions) =>
    api.request('GET /auth/callback/oidc', { query, redirected: true }, options),
  /** The page to sign in. */
  signInPage: api.plain('GET /sign-in'),
  /** The page of an invitation’s link. */
  invitationPage: api.plain('GET /invitation'),
  /** The page of a link to a new password. */
  newPasswordPage: api.plain('GET /new-password'),
  /** What an invitation’s link leads to. */
  readInvitation: api.withBody('POST /api/session/invitation'),
  /** Accept an invitation. */
  acceptInvitation: api.withBody('POST /api/session/invitation/accept'),
});
