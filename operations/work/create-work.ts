import { and, desc, eq, inArray, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../../db/client.ts';
import { contacts, enrollments, messages, riskAssessments, sequences, subjects, tasks } from '../../db/schema/index.ts';
import type { StepTask } from '../../domain/sequence/definition.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import type { TaskRow } from '../tasks.ts';
import { viewOf } from '../risk/assessment-view.ts';
import { chooseOwner, readWorkRules } from './choose-owner.ts';

/** What a step, or somebody, gives to people. */
type WorkKind = StepTask['kind'];

export interface NewWork {
  tenantId: string;
  subjectId: string;
  kind: WorkKind;
  /** What to do, as the sequence or whoever asked says it; null: the usual. */
  note: string | null;
  skill: string | null;
  /** The step that it is for, `enrollment:step`: it is made once. null: somebody asked. */
  sendKey: string | null;
  enrollmentId: string | null;
  actor: string;
}

/** After an escalation no other about the same subject for so long. */
const escalationCooldownMs = 24 * 3_600_000;

const usual: Record<WorkKind, { role: 'agent' | 'manager'; dueHours: number; does: string }> = {
  agent_call: { role: 'agent', dueHours: 4, does: 'Call them: ask what they need, and listen for what has changed.' },
  assignment: { role: 'agent', dueHours: 24, does: 'Take them over: look at what was tried, and offer what the store allows.' },
  escalation: { role: 'manager', dueHours: 1, does: 'Take this over or give it to a senior colleague, and decide what is offered.' },
};

/** What was made. `suppressed`: there was an escalation within a day, and this one is on record as not made. */
export interface MadeWork {
  task: TaskRow;
  suppressed: boolean;
}

/**
 * Make a task for a colleague, with who it is about, how they stand, and what was tried. A repeat of the same step finds its task.
 * The row of the subject is locked: of escalations at the same moment one is made.
 * Source: docs/rules.md#rule-84
 */
export async function createWork(tx: Tx, deps: Pick<Deps, 'clock' | 'log'>, work: NewWork): Promise<MadeWork | null> {
  const { tenantId, subjectId, kind, sendKey, actor } = work;
  const [subject] = await tx.select().from(subjects).where(eq(subjects.id, subjectId)).for('no key update');
  if (subject === undefined) return null;
  if (sendKey !== null) {
    const [known] = await tx.select().from(tasks).where(eq(tasks.sendKey, sendKey));
    if (known !== undefined) return { task: known, suppressed: known.suppressed };
  }
  const nowMs = deps.clock.nowMs();
  const [before] =
    kind === 'escalation'
      ? await tx
          .select({ id: tasks.id, createdAt: tasks.createdAt })
          .from(tasks)
          .where(
            and(
              eq(tasks.subjectId, subjectId),
              eq(tasks.kind, 'escalation'),
              eq(tasks.suppressed, false),
              sql`${tasks.createdAt} > clock_timestamp() - make_interval(secs => ${escalationCooldownMs / 1_000}::float8)`,
            ),
          )
          .orderBy(desc(tasks.createdAt))
          .limit(1)
      : [];
  const suppressed = before !== undefined;
  const { role, dueHours, does } = usual[kind];
  const owner = suppressed ? null : await chooseOwner(tx, await readWorkRules(tx, tenantId), { role, skill: work.skill }, nowMs);
  const [task] = await tx
    .insert(tasks)
    .values({
      ...{ tenantId, id: uuidv7(), kind, key: null, subjectId, sendKey, suppressed, owner, enrollmentId: work.enrollmentId },
      recommendation: work.note ?? does,
      dueAt: nowMs + dueHours * 3_600_000,
      data: await contextOf(tx, subjectId, subject.contactId),
      ...(suppressed
        ? { state: 'dismissed' as const, result: `suppressed: escalated within 24 hours, task ${before.id}`, closedAt: nowMs, closedBy: actor }
        : {}),
    })
    .returning();
  if (task === undefined) throw new Error('a task that was just written is not there');
  await recordAudit(tx, { tenantId, actor, action: suppressed ? 'task.suppress' : 'task.create', subject: task.id, data: { kind, owner } });
  deps.log.info({ tenantId, task: task.id, kind, suppressed }, 'work for a colleague');
  return { task, suppressed };
}

/** Who it is about, how they stand and what was tried. Personal data. */
async function contextOf(tx: Tx, subjectId: string, contactId: string | null): Promise<Record<string, unknown>> {
  const [contact] = contactId === null ? [] : await tx.select().from(contacts).where(eq(contacts.id, contactId));
  const [latest] = await tx.select().from(riskAssessments).where(eq(riskAssessments.subjectId, subjectId)).orderBy(desc(riskAssessments.id)).limit(1);
  const tried = await tx
    .select({ sequence: sequences.slug, step: messages.stepId, channel: messages.channel, state: messages.state, at: messages.settledAt })
    .from(messages)
    .innerJoin(enrollments, eq(enrollments.id, messages.enrollmentId))
    .innerJoin(sequences, eq(sequences.id, enrollments.sequenceId))
    .where(and(eq(enrollments.subjectId, subjectId), inArray(messages.state, ['sent', 'unknown'])))
    .orderBy(desc(messages.createdAt))
    .limit(10);
  const name = [contact?.firstName, contact?.lastName].filter((part) => part != null).join(' ');
  const risk = latest === undefined ? null : viewOf(latest, null);
  return {
    contact: contactId,
    ...(name === '' ? {} : { name }),
    ...(risk === null
      ? {}
      : { risk: { band: risk.band, score: risk.score, basis: risk.basis, says: risk.sentence, factors: risk.factors.slice(0, 5) } }),
    tried: tried.map(({ at, ...message }) => ({ ...message, at: at === null ? null : new Date(at).toISOString() })),
  };
}
