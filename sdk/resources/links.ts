import type { Api, RequestOptions } from '../api.ts';

/** Answers with the address that it leads to. A browser does not show it to programs: this is for servers and tests. */
const redirect =
  <R extends 'GET /c/{token}' | 'GET /s/{token}'>(api: Api, route: R) =>
  (token: string, options?: RequestOptions) =>
    api.request(route, { path: [token], redirected: true }, options);

export const links = (api: Api) => ({
  /** The picture that tells of an open. */
  open: api.plain('GET /o/{token}'),
  /** Back to the subject. */
  click: redirect(api, 'GET /c/{token}'),
  /** Back to the subject, by the short link of a text message. */
  short: redirect(api, 'GET /s/{token}'),
  /** Ask before unsubscribing. */
  unsubscribePage: api.plain('GET /u/{token}'),
  /** Unsubscribe with one click. */
  unsubscribe: (token: string, options?: RequestOptions) =>
    api.request(
      'POST /u/{token}',
      { path: [token], content: { type: 'application/x-www-form-urlencoded', data: 'List-Unsubscribe=One-Click' } },
      options,
    ),
  /** What can be done about the task of a notification. */
  taskPage: api.plain('GET /t/{token}'),
  /** Ask before doing something about it. */
  taskActionPage: api.plain('GET /t/{action}/{token}'),
  /** Do something about it, once. */
  actOnTask: (action: string, token: string, form: Record<string, string> = {}, options?: RequestOptions) =>
    api.request(
      'POST /t/{action}/{token}',
      { path: [action, token], content: { type: 'application/x-www-form-urlencoded', data: new URLSearchParams(form).toString() } },
      options,
    ),
});
