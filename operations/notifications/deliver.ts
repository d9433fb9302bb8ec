import { and, asc, eq, inArray, lte, notInArray, sql } from 'drizzle-orm';
import { notifications, notificationTargets, tasks, tenants } from '../../db/schema/index.ts';
import { causeOf } from '../../domain/notifications/cause.ts';
import { type HandedOver, nextNotification, nextQuestionAt } from '../../domain/notifications/next-attempt.ts';
import { settingsOf } from '../../domain/tenant-settings.ts';
import type { SendOutcome } from '../../integrations/port.ts';
import { classifyFailure } from '../classify-failure.ts';
import type { Deps } from '../deps.ts';
import { startDeadline } from '../dispatch/fence.ts';
import { outletsOf } from '../outlets.ts';
import { factsOf, linksOf, renderFor, taskForPrograms, textFor } from './compose.ts';
import { type NotificationMessage, notificationOutlets, type TargetConfig } from './outlets/index.ts';
import type { NotificationWay } from './outlets/outlet.ts';

/*
 * waiting ── claim ──▶ calling ── settle ──▶ sent | unknown | parked | waiting (certainly not taken)
 *    └── nobody needs it ──▶ dropped   └── the lease is over ──▶ unknown (waiting, where the receiver recognises a repeat)
 *                                                unknown ── ask, where the receiver can be asked ──▶ sent | waiting (it has none)
 *
 * The claim is committed before the first byte leaves, and no byte that may count leaves after the deadline, which is over long before the lease. So
 * whoever finds a lease that is over knows that the call has ended, and not how: what may have arrived is never sent again.
 */
const deadlineMs = 20_000;
const leaseMs = 60_000;
/** A repeatable one that ends the process each time is not tried for ever. */
const mostClaims = 10;

type Row = typeof notifications.$inferSelect;
type Target = typeof notificationTargets.$inferSelect;
type Task = typeof tasks.$inferSelect;

interface Next {
  row: Row;
  target: Target;
  task: Task;
}

/**
 * Send the notification of a tenant that is due first.
 * @param inHand - that this process sends already
 * @returns false: none is due
 */
export async function deliverNext(deps: Deps, tenantId: string, inHand: Set<string>): Promise<boolean> {
  const next = await readNext(deps, tenantId, [...inHand]);
  if (next === null) return false;
  const { row } = next;
  if (inHand.has(row.id)) return true;
  inHand.add(row.id);
  try {
    await deliver(deps, next);
  } finally {
    inHand.delete(row.id);
  }
  return true;
}

function readNext({ db }: Pick<Deps, 'db'>, tenantId: string, inHand: string[]): Promise<Next | null> {
  return db.withTenant(tenantId, async (tx) => {
    const [found] = await tx
      .select({ row: notifications, target: notificationTargets, task: tasks })
      .from(notifications)
      .innerJoin(
        notificationTargets,
        and(eq(notificationTargets.tenantId, notifications.tenantId), eq(notificationTargets.id, notifications.targetId)),
      )
      .innerJoin(tasks, and(eq(tasks.tenantId, notifications.tenantId), eq(tasks.id, notifications.taskId)))
      .where(
        and(
          inArray(notifications.state, ['waiting', 'calling']),
          lte(notifications.nextAt, sql`clock_timestamp()`),
          inHand.length === 0 ? undefined : notInArray(notifications.id, inHand),
        ),
      )
      .orderBy(asc(notifications.nextAt))
      .limit(1);
    return found ?? null;
  });
}

async function deliver(deps: Deps, { row, target, task }: Next): Promise<void> {
  const outlet = notificationOutlets[target.channel];
  if (row.state === 'calling' && (!outlet.isRepeatable || row.claims >= mostClaims)) return settleLost(deps, { row, target, task });
  const needless = needlessBecause(row, task, target, deps.clock.nowMs());
  if (needless !== null) return drop(deps, row, needless);
  const made = await prepare(deps, row, target, task).catch((error: unknown): Prepared => {
    if (classifyFailure(error) !== 'unexpected') throw error;
    deps.log.error({ tenantId: row.tenantId, notificationId: row.id, err: error }, 'a notification could not be written');
    return { kind: 'no_way', why: 'It could not be written: the log of the worker says why.' };
  });
  if (made.kind === 'no_way') return park(deps, row, made.why);
  const deadline = startDeadline(deps.clock, deadlineMs);
  const claim = await claimIt(deps, row, made.way.account);
  if (claim === null) return;
  await deps.checkpoints('notification.claimed');
  const outcome = await made.way.send(made.message, deadline);
  await deps.checkpoints('notification.handed_over');
  await settle(deps, { ...row, claims: claim }, outcome, outlet.isRepeatable, made.way);
}

/** Why nobody needs a notification any more; null: somebody does. */
function needlessBecause({ reminder }: Row, task: Task, target: Target, nowMs: number): string | null {
  if (target.removedAt !== null) return 'the target was removed';
  if (task.state !== 'open') return 'the task was closed before';
  if (task.owner !== target.owner) return 'somebody else has the task now';
  if (reminder !== null && task.dueAt > nowMs) return 'the task was put off';
  return null;
}

type Prepared = { kind: 'ready'; way: NotificationWay; message: NotificationMessage } | { kind: 'no_way'; why: string };

/** @param account - the one to ask; null: whatever the store has now */
async function prepare(deps: Deps, row: Row, target: Target, task: Task, account: string | null = null): Promise<Prepared> {
  const { tenantId } = row;
  const { settings, text } = await deps.db.withTenant(tenantId, async (tx) => {
    const [tenant] = await tx.select().from(tenants).where(eq(tenants.id, tenantId));
    return { settings: settingsOf(tenant ?? { settings: {} }), text: await textFor(tx, task.kind, target.channel) };
  });
  const outlet = notificationOutlets[target.channel];
  const config = JSON.parse(deps.sealing.open(target.sealedConfig)) as TargetConfig;
  const outlets = await outletsOf(deps, tenantId);
  const way = outlet.way(config, { clock: deps.clock, outlets, account, settings, publicUrl: deps.publicUrl });
  if (way === null) return { kind: 'no_way', why: outlet.missing };
  const rendered = renderFor(deps, target.channel, text, await factsOf(deps, task, settings, causeOf(row)));
  const links = linksOf(deps, tenantId, row.id);
  return { kind: 'ready', way, message: { id: row.id, ...rendered, links, task: taskForPrograms(task), cause: causeOf(row), atMs: row.createdAt } };
}

/** @returns the number of the claim; null: another process has it, or the task has changed hands meanwhile */
async function claimIt({ db }: Pick<Deps, 'db'>, { tenantId, id, claims, targetId }: Row, account: string): Promise<number | null> {
  const [claimed] = await db.withTenant(tenantId, (tx) =>
    tx
      .update(notifications)
      .set({
        ...{ state: 'calling', claims: claims + 1, account, claimedAt: sql`clock_timestamp()` },
        nextAt: sql`clock_timestamp() + make_interval(secs => ${leaseMs / 1_000})`,
      })
      .where(
        and(
          eq(notifications.id, id),
          eq(notifications.claims, claims),
          inArray(notifications.state, ['waiting', 'calling']),
          lte(notifications.nextAt, sql`clock_timestamp()`),
          sql`exists (select from tasks t join notification_targets g on g.tenant_id = t.tenant_id and g.id = ${targetId}
            where t.tenant_id = ${notifications.tenantId} and t.id = ${notifications.taskId} and t.state = 'open'
              and t.owner is not distinct from g.owner and g.removed_at is null)`,
        ),
      )
      .returning({ claims: notifications.claims }),
  );
  return claimed?.claims ?? null;
}

function handedOver(outcome: SendOutcome, repeatable: boolean): HandedOver {
  if (outcome.kind === 'refused') return { kind: 'refused', severity: outcome.severity, retryAfterMs: outcome.retryAfterMs };
  return outcome.kind === 'accepted' ? { kind: 'accepted' } : { kind: 'unknown', repeatable };
}

const told = (response: string) => response.slice(0, 300).replaceAll('\0', '');

/** Record the outcome of a claim, also after its lease has run out, unless another attempt has begun. */
async function settle(deps: Deps, row: Row, outcome: SendOutcome, repeatable: boolean, { question }: NotificationWay): Promise<void> {
  const nowMs = deps.clock.nowMs();
  const attempts = row.attempts + (outcome.kind === 'accepted' ? 0 : 1);
  const next = nextNotification(handedOver(outcome, repeatable), attempts, nowMs);
  const columns =
    next.state === 'waiting'
      ? { state: next.state, nextAt: next.atMs, claimedAt: null }
      : { state: next.state, claimedAt: null, settledAt: nowMs, askAt: next.state === 'unknown' ? askAfter(question, nowMs) : null };
  await deps.db.withTenant(row.tenantId, (tx) =>
    tx
      .update(notifications)
      .set({ ...columns, attempts, response: told(outcome.response) })
      .where(and(eq(notifications.id, row.id), eq(notifications.claims, row.claims), inArray(notifications.state, ['calling', 'unknown']))),
  );
  if (next.state === 'parked' || next.state === 'unknown')
    deps.log.warn({ tenantId: row.tenantId, notificationId: row.id, state: next.state }, 'nobody was told of a task for certain');
}

const askAfter = (question: NotificationWay['question'], fromMs: number) => (question === null ? null : fromMs + question.settleAfterMs);

/** The process that claimed it ended, or lost its connection, before the outcome was recorded. */
async function settleLost(deps: Deps, { row, target, task }: Next): Promise<void> {
  const made = await prepare(deps, row, target, task, row.account).catch((): Prepared => ({ kind: 'no_way', why: '' }));
  const askAt = made.kind === 'ready' ? askAfter(made.way.question, row.claimedAt ?? deps.clock.nowMs()) : null;
  return end(deps, row, { state: 'unknown', response: 'the process that sent it ended before it knew the outcome', askAt });
}

/**
 * Ask the receiver of a notification in doubt whether it has it, where it can be asked. Without a lock: the answer counts for this attempt alone, and only
 * while nothing else has happened.
 * @returns false: nobody is to be asked now
 */
export async function askNext(deps: Deps, tenantId: string): Promise<boolean> {
  const nowMs = deps.clock.nowMs();
  const next = await deps.db.withTenant(tenantId, async (tx): Promise<Next | null> => {
    const due = and(eq(notifications.state, 'unknown'), lte(notifications.askAt, sql`clock_timestamp()`));
    const [row] = await tx.select().from(notifications).where(due).orderBy(asc(notifications.askAt)).limit(1).for('update', { skipLocked: true });
    if (row === undefined) return null;
    await tx
      .update(notifications)
      .set({ askAt: nextQuestionAt(row.settledAt ?? row.createdAt, nowMs) })
      .where(eq(notifications.id, row.id));
    const [target] = await tx.select().from(notificationTargets).where(eq(notificationTargets.id, row.targetId));
    const [task] = await tx.select().from(tasks).where(eq(tasks.id, row.taskId));
    return target === undefined || task === undefined ? null : { row, target, task };
  });
  if (next === null) return false;
  const { row, target, task } = next;
  const made = await prepare(deps, row, target, task, row.account);
  const found = made.kind === 'ready' && made.way.question !== null ? await made.way.question.ask(made.message).catch(() => null) : 'nobody';
  if (found !== null) await applyAnswer(deps, row, found);
  return true;
}

/** @param found - `nobody`: no owner is left to notify */
async function applyAnswer(
  { db, clock, log }: Pick<Deps, 'db' | 'clock' | 'log'>,
  row: Row,
  found: 'accepted' | 'not_accepted' | 'nobody',
): Promise<void> {
  const nowMs = clock.nowMs();
  const answered = (): Partial<Pick<Row, 'state' | 'askAt' | 'nextAt' | 'settledAt' | 'response'>> => {
    if (found === 'nobody') return { askAt: null };
    if (found === 'accepted') return { state: 'sent', askAt: null, response: 'in doubt; the receiver has it' };
    const next = nextNotification({ kind: 'refused', severity: 'soft' }, Math.max(1, row.attempts), nowMs);
    const response = 'in doubt; the receiver does not have it';
    return next.state === 'waiting'
      ? { state: 'waiting', nextAt: next.atMs, settledAt: null, askAt: null, response }
      : { state: 'parked', askAt: null, response };
  };
  await db.withTenant(row.tenantId, (tx) =>
    tx
      .update(notifications)
      .set(answered())
      .where(and(eq(notifications.id, row.id), eq(notifications.claims, row.claims), eq(notifications.state, 'unknown'))),
  );
  log.info({ tenantId: row.tenantId, notificationId: row.id, found }, 'a receiver was asked after a notification in doubt');
}

const drop = (deps: Deps, row: Row, response: string) => end(deps, row, { state: 'dropped', response });
const park = (deps: Deps, row: Row, response: string) => end(deps, row, { state: 'parked', response });

async function end(
  { db, clock }: Pick<Deps, 'db' | 'clock'>,
  row: Row,
  columns: { state: 'unknown' | 'dropped' | 'parked'; response: string; askAt?: number | null },
) {
  await db.withTenant(row.tenantId, (tx) =>
    tx
      .update(notifications)
      .set({ ...columns, claimedAt: null, settledAt: clock.nowMs() })
      .where(
        and(
          eq(notifications.id, row.id),
          eq(notifications.claims, row.claims),
          eq(notifications.state, row.state),
          lte(notifications.nextAt, sql`clock_timestamp()`),
        ),
      ),
  );
}
