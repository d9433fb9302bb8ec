import { startAnswerBudget } from './answer-budget.ts';
import type { Deps } from './deps.ts';
import { listQuarantine } from './read/quarantine.ts';
import { replayQuarantined } from './replay-quarantine.ts';

/** The result of a replay, with the reason where it still cannot be read. */
type ReplayedOne = { id: string; kind: 'applied' | 'still_unreadable' | 'already_released'; reason: string | null };

const atOnce = 50;

/** Read one delivery of the quarantine again. `busy`: whether or not it took effect, a covered call may still be open. */
export async function replayOne(
  deps: Deps,
  tenantId: string,
  id: string,
): Promise<ReplayedOne | { kind: 'unknown' } | { kind: 'busy' } | { kind: 'dismissed' }> {
  const replay = await replayQuarantined(deps, tenantId, id);
  if (replay.kind === 'unknown' || replay.kind === 'busy' || replay.kind === 'dismissed') return replay;
  return { id, kind: replay.kind, reason: reasonOf(replay) };
}

/**
 * Read every open delivery of a tenant again, the oldest first, within the time of one answer.
 * @returns `unfinished`: there are more, or a call that one of them stops is still running
 */
export async function replayAll(deps: Deps, tenantId: string): Promise<{ replays: ReplayedOne[]; unfinished: boolean }> {
  const budget = startAnswerBudget(deps.clock);
  const replays: ReplayedOne[] = [];
  for (let after: string | null = null; ; ) {
    const { items, next } = await listQuarantine(deps, tenantId, { state: 'open', limit: atOnce, after });
    for (const { id } of items) {
      if (budget.leftMs() <= 0) return { replays, unfinished: true };
      const replay = await replayOne(deps, tenantId, id);
      if (replay.kind === 'busy') return { replays, unfinished: true };
      if (replay.kind !== 'unknown' && replay.kind !== 'dismissed') replays.push(replay);
    }
    if (next === null) return { replays, unfinished: false };
    after = next;
  }
}

const reasonOf = (replay: Awaited<ReturnType<typeof replayQuarantined>>) => (replay.kind === 'still_unreadable' ? replay.reason : null);
