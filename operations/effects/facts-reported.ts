import { factFrom } from '../../domain/facts/report.ts';
import type { Effect, EventOf } from './effect.ts';

/** Keep what a source states. One that could never be stated, such as an offer that has ended, is left out. */
export const factsReported: Effect<EventOf<'facts.reported'>> = {
  stops: 'never',
  reads: [],
  decide(event, draft) {
    const { settings } = draft.context.tenant;
    const shop = draft.context.source.connectionId;
    const connectionId = event.of === 'connection' && shop !== '' ? shop : null;
    for (const reported of event.facts) {
      const made = factFrom(reported, { by: event.by, settings, nowMs: draft.context.nowMs });
      if (made.ok) draft.changes.facts.push({ ...made.fact, connectionId });
    }
  },
};
