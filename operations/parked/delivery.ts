import { dismissQuarantined } from '../dismiss-quarantined.ts';
import { listQuarantine, readSetAside, type SetAside } from '../read/quarantine.ts';
import { replayOne } from '../replay-open.ts';
import { nowhere, type ParkedDone, type ParkedItem, type ParkedKind, type ParkedWish } from './kind.ts';
import type { Deps } from '../deps.ts';

/** A delivery that was authentic and could not be read. */
export const delivery: ParkedKind = {
  async list(deps, tenantId, { one, ...page }) {
    if (one === undefined) return (await listQuarantine(deps, tenantId, { state: 'open', ...page })).items.map(itemOf);
    const found = await readSetAside(deps, tenantId, one);
    return found === null || found.state !== 'open' ? [] : [itemOf(found)];
  },
  acts: {
    async resume(deps, { tenantId, id }) {
      const replay = await replayOne(deps, tenantId, id);
      if (replay.kind === 'unknown' || replay.kind === 'busy') return { kind: replay.kind };
      if (replay.kind !== 'still_unreadable') return { kind: 'done' };
      return {
        kind: 'refused',
        code: 'still_unreadable',
        detail: `It still cannot be read: ${replay.reason ?? ''}. Skip it, or have its sender correct it.`,
      };
    },
    skip: dismiss,
    cancel: dismiss,
  },
};

function itemOf({ id, integration, connectionId, topic, reason, mayBeStop, receivedAtMs }: SetAside): ParkedItem {
  const stop = mayBeStop ? ' It may have been a purchase, a reply or an opt-out: messages go on that it would have stopped.' : '';
  return {
    id,
    kind: 'delivery',
    cause: 'unreadable',
    sinceMs: receivedAtMs,
    sentence: `A delivery of ${integration} (${topic}) could not be read: ${reason}.${stop}`,
    advice: `Resume reads it again, as this build reads it (rekindle quarantine show ${id} has its body). Skip and cancel dismiss it: it never takes effect.`,
    affected: { enrollments: 0, deliveries: 1 },
    actions: ['resume', 'skip', 'cancel'],
    about: { ...nowhere, connectionId },
    externalIds: [],
  };
}

async function dismiss(deps: Deps, { tenantId, id, actor, note }: ParkedWish): Promise<ParkedDone> {
  const dismissed = await dismissQuarantined(deps, tenantId, { id, reason: note, by: actor });
  return dismissed.kind === 'unknown' ? { kind: 'unknown' } : { kind: 'done' };
}
