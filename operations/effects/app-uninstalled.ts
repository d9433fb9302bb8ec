import type { Effect, EventOf } from './effect.ts';

/** The shop removed the app: mark its connection as disconnected. */
export const appUninstalled: Effect<EventOf<'app.uninstalled'>> = {
  stops: 'never',
  reads: [],
  decide(_event, draft) {
    draft.changes.disconnects = true;
  },
};
