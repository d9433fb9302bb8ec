import type { Api } from '../api.ts';

export const telegram = (api: Api) => ({
  /** Make a one-time code for the admin chat. */
  createAdminCode: api.plain('POST /api/telegram/admin-codes'),
});
