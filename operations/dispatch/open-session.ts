import { and, eq } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { enrollments, messages } from '../../db/schema/index.ts';
import { backoffMs } from '../../domain/sequence/backoff.ts';
import type { SenderSession } from '../../integrations/port.ts';
import type { MailConnection, MailConnections } from './mail-connection.ts';
import type { VersionCache } from './versions.ts';

/** What stands ready for a call, before anything is decided. */
export type Opened =
  /** No session was tried: the step did not look as if it needed one. */
  | { kind: 'none' }
  | { kind: 'open'; connection: MailConnection; session: SenderSession }
  | { kind: 'failed'; connection: MailConnection; fault: string };

/** A step is dispatched when Temporal's clock says so; this worker's may be behind by that much. */
const clockSkewMs = 2_000;

/** How a step looks before its locks are taken. */
export interface Glance {
  /** It seems to be due to be sent by a provider. */
  likely: boolean;
  /** The account of a call in doubt, which alone may repeat it; null: no call is in doubt. */
  inDoubtAt: string | null;
}

/**
 * Connect before the claim: what takes long must not eat the lease. Not for steps that no provider could send.
 * @param needed - a decision has asked for a session: no guessing
 */
export async function openSession(looks: Glance, mail: MailConnections, needed: boolean): Promise<Opened> {
  // A call in doubt is repeated with the account that it was made with, or not at all.
  const connection = looks.inDoubtAt === null ? mail.current : mail.ofAccount(looks.inDoubtAt);
  if (connection === null || (!needed && !looks.likely)) return { kind: 'none' };
  try {
    return { kind: 'open', connection, session: await connection.sender.open() };
  } catch (error) {
    return { kind: 'failed', connection, fault: error instanceof Error ? error.message : String(error) };
  }
}

export async function glanceAt(tx: Tx, versions: VersionCache, step: { enrollmentId: string; stepId: string }, nowMs: number): Promise<Glance> {
  const [row] = await tx
    .select({
      enrollment: { endedAt: enrollments.endedAt, timeScale: enrollments.timeScale, versionId: enrollments.versionId },
      message: {
        state: messages.state,
        live: messages.live,
        account: messages.account,
        failures: messages.failures,
        refusedForGood: messages.refusedForGood,
        settledAt: messages.settledAt,
      },
    })
    .from(enrollments)
    .leftJoin(messages, and(eq(messages.enrollmentId, enrollments.id), eq(messages.stepId, step.stepId)))
    .where(eq(enrollments.id, step.enrollmentId));
  if (row === undefined) return { likely: false, inDoubtAt: null };
  const { enrollment, message } = row;
  const inDoubtAt = message?.state === 'unknown' ? (message.account ?? '') : null;
  if (enrollment.endedAt !== null || message?.live === true || message?.state === 'sent' || message?.state === 'skipped')
    return { likely: false, inDoubtAt };
  if (message?.state === 'failed' && message.failures > 0 && message.settledAt !== null) {
    const retryAtMs = message.settledAt + backoffMs(message.failures, enrollment.timeScale);
    if (message.refusedForGood || retryAtMs - clockSkewMs > nowMs) return { likely: false, inDoubtAt };
  }
  const planned = (await versions.load(tx, enrollment.versionId)).definition.steps.find((s) => s.id === step.stepId);
  return { likely: planned?.channels.includes('email') === true, inDoubtAt };
}
