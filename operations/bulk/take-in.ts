import { and, eq, gt, isNotNull, sql } from 'drizzle-orm';
import { CommitUnclearError, isLockFailure, type Tx } from '../../db/client.ts';
import { bulkJobs, bulkMembers, contacts, sequences, subjects } from '../../db/schema/index.ts';
import { classifyFailure } from '../classify-failure.ts';
import type { Deps } from '../deps.ts';
import { type BulkRefusal, beginInBulk } from '../effects/rules/begin-by-hand.ts';
import { draftOf } from '../enroll-by-hand.ts';
import { MovedError } from '../intake/found.ts';
import { writesOf, writeWorld } from '../intake/writes.ts';
import { type BulkJob, candidatesOf } from './bulk-jobs.ts';

/** So many subjects are looked at in one pass: who is refused costs no time of the rate. */
const atOnce = 50;
/** By how much a job may catch up that was not looked at for a while: a pass comes every second. */
const catchUpSeconds = 2;

const secondsOf = { hour: 3_600, day: 86_400 } as const;

/**
 * Why somebody is not taken in. `taken_in`: the person is, about something else of theirs. `no_owner`: it is nobody's any more. `failed`: the log says
 * why.
 */
type NotTaken = BulkRefusal | 'taken_in' | 'no_owner' | 'failed';

/** What became of one subject, and of the job. */
type Look = 'taken' | 'refused' | 'seen' | 'not_now' | 'stopped';

/** One pass over the running jobs of all stores. @returns whether there may be more to do right away */
export async function takeInPass(deps: Deps): Promise<boolean> {
  let more = false;
  for (const tenantId of await deps.db.tenantsWithWork('bulk_jobs')) {
    const jobs = await deps.db.withTenant(tenantId, (tx) =>
      tx
        .select()
        .from(bulkJobs)
        .where(and(eq(bulkJobs.state, 'running'), sql`next_at <= clock_timestamp()`)),
    );
    for (const job of jobs) more = (await takeIn(deps, job)) || more;
  }
  return more;
}

/** Go on with one job: each subject in a transaction of its own, under the locks of its person. */
async function takeIn(deps: Deps, job: BulkJob): Promise<boolean> {
  const { tenantId, subjectKind, filter, cursor } = job;
  const next = await deps.db.withTenant(tenantId, (tx) =>
    tx
      .select({ id: subjects.id })
      .from(subjects)
      .where(and(candidatesOf(subjectKind, filter), cursor === null ? undefined : gt(subjects.id, cursor)))
      .orderBy(subjects.id)
      .limit(atOnce),
  );
  if (next.length === 0) {
    await deps.db.withTenant(tenantId, (tx) => end(tx, job.id));
    return false;
  }
  for (const { id } of next) {
    const look = await lookAt(deps, job, id);
    if (look === 'not_now' || look === 'stopped') return false;
  }
  return true;
}

async function lookAt(deps: Deps, job: BulkJob, subjectId: string): Promise<Look> {
  for (let attempt = 1; ; attempt++) {
    try {
      const look = await deps.db.withTenant(job.tenantId, (tx) => lookLocked(tx, deps, job, subjectId));
      if (look === 'taken') deps.kickRelay();
      return look;
    } catch (error) {
      // Somebody else is changing this person, or it is not known whether COMMIT took effect: the next attempt finds out.
      const again = error instanceof MovedError || error instanceof CommitUnclearError || isLockFailure(error);
      if (again && attempt < 10) continue;
      if (again || classifyFailure(error) !== 'unexpected') throw error;
      // One subject that cannot be read must not hold up all those behind it.
      deps.log.error({ bulk: job.id, subjectId, err: error }, 'somebody could not be taken into a sequence');
      return deps.db.withTenant(job.tenantId, (tx) => giveUp(tx, job, subjectId));
    }
  }
}

/** The person's locks first, then the job's row: everybody who takes both takes them in this order. */
async function lookLocked(tx: Tx, deps: Deps, { tenantId, id }: BulkJob, subjectId: string): Promise<Look> {
  const draft = await draftOf(tx, deps, { tenantId, subjectId });
  const [locked] = await tx
    .select({ job: bulkJobs, due: sql<boolean>`next_at <= clock_timestamp()` })
    .from(bulkJobs)
    .where(eq(bulkJobs.id, id))
    .for('no key update');
  if (locked === undefined || locked.job.state !== 'running') return 'stopped';
  const { job } = locked;
  // Another worker was here meanwhile.
  if (job.cursor !== null && subjectId <= job.cursor) return 'seen';
  if (!locked.due) return 'not_now';
  const note = (personId: string | null, outcome: { enrollmentId: string } | { reason: NotTaken }) =>
    tx.insert(bulkMembers).values({ tenantId, jobId: id, subjectId, personId, ...outcome });
  const refuse = async (personId: string | null, reason: NotTaken): Promise<Look> => {
    await note(personId, { reason });
    await goOn(tx, job, subjectId, false);
    return 'refused';
  };

  const sequence = draft?.world.sequences.find((s) => s.id === job.sequenceId);
  if (draft !== null && sequence?.versionId !== job.versionId) {
    await pause(tx, job);
    return 'stopped';
  }
  const subject = draft?.findSubject(subjectId) ?? null;
  const owner = draft?.findContact(subject?.contactId ?? null) ?? null;
  if (draft === null || sequence === undefined || subject === null || owner === null) return refuse(null, 'no_owner');
  if (await isTakenIn(tx, id, owner.personId)) return refuse(owner.personId, 'taken_in');
  const begun = beginInBulk(draft, { subject, owner }, sequence, id);
  if ('reason' in begun) return refuse(owner.personId, begun.reason);
  // Awaited: the member refers to the enrollment.
  writeWorld(tx, writesOf(draft));
  await note(owner.personId, { enrollmentId: begun.begun });
  await goOn(tx, job, subjectId, true);
  return 'taken';
}

async function giveUp(tx: Tx, { tenantId, id }: BulkJob, subjectId: string): Promise<Look> {
  const [job] = await tx.select().from(bulkJobs).where(eq(bulkJobs.id, id)).for('no key update');
  if (job === undefined || job.state !== 'running') return 'stopped';
  if (job.cursor !== null && subjectId <= job.cursor) return 'seen';
  await tx.insert(bulkMembers).values({ tenantId, jobId: id, subjectId, personId: null, reason: 'failed' satisfies NotTaken });
  await goOn(tx, job, subjectId, false);
  return 'refused';
}

/** Also under another name: those who were two people then may be one now. */
async function isTakenIn(tx: Tx, jobId: string, personId: string): Promise<boolean> {
  const found = await tx
    .select({ id: bulkMembers.subjectId })
    .from(bulkMembers)
    .innerJoin(contacts, eq(contacts.id, bulkMembers.personId))
    .where(and(eq(bulkMembers.jobId, jobId), isNotNull(bulkMembers.enrollmentId), eq(contacts.personId, personId)))
    .limit(1);
  return found.length > 0;
}

async function goOn(tx: Tx, { id, people, per, enrolled, most }: BulkJob, subjectId: string, taken: boolean): Promise<void> {
  const interval = secondsOf[per] / people;
  const behind = sql`clock_timestamp() - make_interval(secs => ${Math.max(interval, catchUpSeconds)}::float8)`;
  await tx
    .update(bulkJobs)
    .set({
      cursor: subjectId,
      examined: sql`examined + 1`,
      ...(taken ? { enrolled: sql`enrolled + 1`, nextAt: sql`greatest(next_at, ${behind}) + make_interval(secs => ${interval}::float8)` } : {}),
    })
    .where(eq(bulkJobs.id, id));
  if (taken && most !== null && enrolled + 1 >= most) await end(tx, id);
}

async function end(tx: Tx, id: string): Promise<void> {
  await tx
    .update(bulkJobs)
    .set({ state: 'done', endedAt: sql`clock_timestamp()` })
    .where(and(eq(bulkJobs.id, id), eq(bulkJobs.state, 'running')));
}

/** The sequence has another version now, or takes nobody: who has backtested that? */
async function pause(tx: Tx, job: BulkJob): Promise<void> {
  const [now] = await tx.select({ current: sequences.currentVersionId }).from(sequences).where(eq(sequences.id, job.sequenceId));
  const pausedBecause = now?.current === job.versionId ? 'sequence_not_active' : 'version_changed';
  await tx.update(bulkJobs).set({ state: 'paused', pausedBecause }).where(eq(bulkJobs.id, job.id));
}
