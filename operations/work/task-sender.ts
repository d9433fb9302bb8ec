import { eq } from 'drizzle-orm';
import { CommitUnclearError } from '../../db/client.ts';
import { enrollments, sequenceVersions } from '../../db/schema/index.ts';
import { callOwnDatabase } from '../../integrations/own-database.ts';
import type { Sender, SenderSession, SendOutcome } from '../../integrations/port.ts';
import { classifyFailure } from '../classify-failure.ts';
import type { Deps } from '../deps.ts';
import { createWork } from './create-work.ts';

type WorkDeps = Pick<Deps, 'db' | 'clock' | 'log'>;

/**
 * Puts tasks into the store's own list, for steps on the channel `task`. The send key is unique for good: a repeat of a call in doubt finds the task there.
 * @param tenantId - null: nothing is sent, as in a rehearsal
 */
export function taskSenderOf(deps: WorkDeps, tenantId: string | null): Sender<'task'> {
  return {
    channel: 'task',
    account: 'tasks',
    times: { deadlineMs: 2_500, leaseMs: 3_000, deadLeaseMs: 10_000 },
    reconciliation: { kind: 'keys', keyLifeMs: Number.POSITIVE_INFINITY },
    async open() {
      if (tenantId === null) throw new Error('nobody is given work here');
      return openSession(deps, tenantId);
    },
  };
}

function openSession(deps: WorkDeps, tenantId: string): SenderSession<'task'> {
  const closing = new AbortController();
  return {
    async send(_payload, sendKey, deadline, begun) {
      if (closing.signal.aborted) return notMade('the session was closed');
      if (deadline.remainingMs() <= 0) return notMade('the deadline came before the call');
      begun?.();
      const store = (mayCommit: () => boolean) => makeTask(deps, tenantId, sendKey, mayCommit);
      const failed = (error: unknown) => failureOf(deps, sendKey, error);
      return callOwnDatabase({ store, failed, notStored: notMade }, deadline, closing.signal);
    },
    close: () => closing.abort(),
  };
}

/** Rolls the transaction back. */
class TooLateError extends Error {}

async function makeTask(deps: WorkDeps, tenantId: string, sendKey: string, mayCommit: () => boolean): Promise<SendOutcome> {
  const [enrollmentId = '', stepId = ''] = sendKey.split(/:(.*)/s);
  const made = await deps.db.withTenant(tenantId, async (tx) => {
    const [row] = await tx
      .select({ subjectId: enrollments.subjectId, definition: sequenceVersions.definition })
      .from(enrollments)
      .innerJoin(sequenceVersions, eq(sequenceVersions.id, enrollments.versionId))
      .where(eq(enrollments.id, enrollmentId));
    if (row === undefined) return null;
    const { kind = 'agent_call', note = null, skill = null } = row.definition.steps.find(({ id }) => id === stepId)?.task ?? {};
    const work = await createWork(tx, deps, { tenantId, subjectId: row.subjectId, kind, note, skill, sendKey, enrollmentId, actor: 'sequence' });
    // The transaction is committed in the same turn of the event loop as this answer is followed.
    if (!mayCommit()) throw new TooLateError();
    return work;
  });
  if (made === null) return { kind: 'refused', severity: 'hard', response: 'what it is about does not exist' };
  const response = made.suppressed ? 'suppressed: there was an escalation within 24 hours' : `task ${made.task.id}`;
  return { kind: 'accepted', providerMessageId: made.task.id, response };
}

/** What Postgres says may name the person, so the ledger does not keep it. */
function failureOf({ log }: WorkDeps, sendKey: string, error: unknown): SendOutcome {
  if (error instanceof TooLateError) return notMade('the deadline came before the end');
  if (error instanceof CommitUnclearError) return { kind: 'unknown', response: 'nobody knows whether it was stored' };
  const failure = classifyFailure(error);
  if (failure !== 'unexpected') return notMade(failure === 'busy' ? 'who it is about is locked' : 'Postgres is away');
  log.error({ sendKey, err: error }, 'a task was not made');
  return { kind: 'refused', severity: 'soft', response: 'the task could not be stored: the log says why' };
}

const notMade = (response: string): SendOutcome => ({ kind: 'refused', severity: 'soft', outage: true, response });
