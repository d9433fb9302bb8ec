import { and, asc, eq, gt, isNull, lte, sql } from 'drizzle-orm';
import { bulkActions, enrollments } from '../../db/schema/index.ts';
import { holdByHand } from '../actions/hold.ts';
import { moveByHand } from '../actions/move.ts';
import { classifyFailure } from '../classify-failure.ts';
import type { Deps } from '../deps.ts';
import { stopOnce } from '../stop-one.ts';
import { type BulkAction, candidatesOf } from './bulk-actions.ts';

/** So many enrollments are noted as done in one statement. */
const batch = 40;
/** So many at once, each in a transaction of its own under the locks of its person. */
const atOnce = 4;
/** Then another store has its turn. */
const sliceMs = 2_000;
/** A worker that died is replaced after that. */
const claimedForSeconds = 60;

/** What became of one: `changed`, `unchanged`, or why it was refused. */
type Outcome = { kind: 'changed' | 'unchanged' } | { kind: 'refused'; why: string };

/** One pass over the running bulk actions of all stores. @returns whether there may be more to do right away */
export async function bulkActionPass(deps: Deps): Promise<boolean> {
  let more = false;
  for (const tenantId of await deps.db.tenantsWithWork('bulk_actions')) {
    const claimed = await deps.db.withTenant(tenantId, (tx) =>
      tx
        .update(bulkActions)
        .set({ claimedUntil: later(claimedForSeconds) })
        .where(and(eq(bulkActions.state, 'running'), lte(bulkActions.claimedUntil, sql`clock_timestamp()`)))
        .returning(),
    );
    for (const action of claimed) more = (await work(deps, action)) || more;
  }
  return more;
}

const later = (seconds: number) => sql`clock_timestamp() + make_interval(secs => ${seconds}::float8)`;

/** Go on with one action for a while, and give it back. @returns whether it is not over */
async function work(deps: Deps, claimed: BulkAction): Promise<boolean> {
  const startedMs = deps.clock.monotonicMs();
  let action: BulkAction | null = claimed;
  try {
    while (action !== null && deps.clock.monotonicMs() - startedMs < sliceMs) action = await workOnBatch(deps, action);
    return action !== null;
  } finally {
    await deps.db.withTenant(claimed.tenantId, (tx) =>
      tx
        .update(bulkActions)
        .set({ claimedUntil: later(0) })
        .where(eq(bulkActions.id, claimed.id)),
    );
  }
}

/** @returns the action with its progress; null: it is over, or another worker has taken it over */
async function workOnBatch(deps: Deps, action: BulkAction): Promise<BulkAction | null> {
  const { tenantId, id, cursor } = action;
  const next = await deps.db.withTenant(tenantId, (tx) =>
    tx
      .select({ id: enrollments.id })
      .from(enrollments)
      .where(and(candidatesOf(action), cursor === null ? undefined : gt(enrollments.id, cursor)))
      .orderBy(asc(enrollments.id))
      .limit(batch),
  );
  const outcomes: Outcome[] = [];
  for (let i = 0; i < next.length; i += atOnce) {
    if (i > 0 && !(await isRunning(deps, action))) return null;
    outcomes.push(...(await Promise.all(next.slice(i, i + atOnce).map((one) => actOn(deps, action, one.id)))));
  }
  const count = (kind: Outcome['kind']) => outcomes.filter((one) => one.kind === kind).length;
  const refused = { ...action.refused };
  for (const one of outcomes) if (one.kind === 'refused') refused[one.why] = (refused[one.why] ?? 0) + 1;
  const last = next.at(-1)?.id ?? null;
  const progress =
    last === null
      ? { state: 'done' as const, endedAt: sql`clock_timestamp()` }
      : {
          cursor: last,
          examined: sql`examined + ${outcomes.length}`,
          changed: sql`changed + ${count('changed')}`,
          unchanged: sql`unchanged + ${count('unchanged')}`,
          refused,
          claimedUntil: later(claimedForSeconds),
        };
  const isWhereItWas = cursor === null ? isNull(bulkActions.cursor) : eq(bulkActions.cursor, cursor);
  // A worker presumed dead may have handled the same enrollments: each counts once, for the first that writes.
  const [now] = await deps.db.withTenant(tenantId, (tx) =>
    tx
      .update(bulkActions)
      .set(progress)
      .where(and(eq(bulkActions.id, id), eq(bulkActions.state, 'running'), isWhereItWas))
      .returning(),
  );
  return last === null ? null : (now ?? null);
}

async function isRunning(deps: Deps, { tenantId, id }: BulkAction): Promise<boolean> {
  const [row] = await deps.db.withTenant(tenantId, (tx) => tx.select({ state: bulkActions.state }).from(bulkActions).where(eq(bulkActions.id, id)));
  return row?.state === 'running';
}

const mostAttempts = 3;

/** Each has an id of its own, so that it is done once, and answers the same, however often workers die between it and the note of their progress. */
async function actOn(deps: Deps, action: BulkAction, enrollmentId: string): Promise<Outcome> {
  for (let attempt = 1; ; attempt++) {
    try {
      const done = await actOnce(deps, action, enrollmentId);
      // Somebody else is changing this person, or a message is on its way: it is written by now, or the next attempt writes it.
      if (done.kind === 'refused' && done.why === 'busy' && attempt < mostAttempts) continue;
      return done;
    } catch (error) {
      if (classifyFailure(error) !== 'unexpected') throw error;
      // One that cannot be read must not hold up all those behind it.
      deps.log.error({ bulkAction: action.id, enrollment: enrollmentId, err: error }, 'a bulk action could not be carried out for one enrollment');
      return { kind: 'refused', why: 'failed' };
    }
  }
}

async function actOnce(deps: Deps, action: BulkAction, enrollmentId: string): Promise<Outcome> {
  const { tenantId, note, requestedBy: actor } = action;
  const whose = { tenantId, enrollmentId, actor, key: null, requestId: `bulk:${action.id}:${enrollmentId}` };
  switch (action.action) {
    case 'stop': {
      const stopped = await stopOnce(deps, { ...whose, note: note ?? 'stopped by hand' });
      if (stopped.kind === 'stopped') return { kind: 'changed' };
      return stopped.kind === 'ended_before' ? { kind: 'unchanged' } : { kind: 'refused', why: stopped.kind };
    }
    case 'pause':
    case 'resume':
      return outcomeOf(await holdByHand(deps, { ...whose, does: action.action, note }));
    case 'move':
      return outcomeOf(await moveByHand(deps, { ...whose, version: action.target?.version ?? null, step: action.target?.step ?? null, note }));
  }
}

type Answered = Awaited<ReturnType<typeof holdByHand>> | Awaited<ReturnType<typeof moveByHand>>;

function outcomeOf(answer: Answered): Outcome {
  if (answer.kind === 'done') return { kind: answer.result.changed ? 'changed' : 'unchanged' };
  return { kind: 'refused', why: answer.kind === 'refused' ? answer.why : answer.kind };
}
