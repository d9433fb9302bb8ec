import { and, eq, inArray, type SQL, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { contacts, decisions, enrollments, messages, sequences, sequenceVersions } from '../../db/schema/index.ts';
import type { MessageRow } from '../dispatch/progress.ts';
import { kindOf } from '../subject-row.ts';
import type { ReadDeps } from './enrollment.ts';
import { type ExternalId, readExternalIds } from './external-ids.ts';
import { type ActionView, interventionsOf, judgedNow } from '../interventions/interventions.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted, readList, since } from './page.ts';
import { decisionSentence, messageSentence } from './sentences.ts';

/** What an entry of the record belongs to. */
export interface Belonging {
  enrollmentId: string;
  sequence: string;
  subject: { id: string; kind: string; externalIds: ExternalId[] };
}

type Asked<T> = { [K in keyof T]?: T[K] | undefined };

export type MessageView = Belonging & { row: MessageRow; sentence: string };
export type MessageFilter = Asked<{
  channel: string;
  state: MessageRow['state'];
  /** Every message to that person, under any of their contacts. */
  contact: string;
  enrollment: string;
  step: string;
  /** Made at that time or later, epoch milliseconds. */
  sinceMs: number;
}>;

/** The messages of the send ledger, the newest first. No personal data, save what a provider wrote into its answer. */
export function listMessages(deps: ReadDeps, tenantId: string, filter: MessageFilter, page: PageWanted): Promise<Page<MessageView>> {
  return readList(deps, tenantId, async (tx) => {
    const { channel, state, contact, enrollment, step, sinceMs } = filter;
    const rows = await tx
      .select()
      .from(messages)
      .where(
        and(
          channel === undefined ? undefined : eq(messages.channel, channel),
          state === undefined ? undefined : stateIs(state),
          contact === undefined ? undefined : inArray(messages.contactId, samePerson(tx, contact)),
          enrollment === undefined ? undefined : eq(messages.enrollmentId, enrollment),
          step === undefined ? undefined : eq(messages.stepId, step),
          sinceMs === undefined ? undefined : since(messages.createdAt, messages.id, sinceMs),
          beyond(messages.id, 'newest', page),
        ),
      )
      .orderBy(byAge(messages.id, 'newest', page))
      .limit(page.limit + 1);
    const { items, next } = pageOf(rows, page.limit, ({ id }) => id);
    const belongings = await belongingsOf(tx, items);
    return {
      items: items.flatMap((row) =>
        ofOne(belongings, row, (one) => ({ row, sentence: messageSentence(deps.subjects.of(one.subject.kind).words, row) })),
      ),
      next,
    };
  });
}

type DecisionRow = typeof decisions.$inferSelect;
export type DecisionView = Belonging & {
  row: DecisionRow;
  /** Whom it is about. */
  contactId: string;
  version: number;
  sentence: string;
  /** Of an action of an intervention: what it costs and is expected to bring; null: it is none. */
  worth: Pick<ActionView, 'cost' | 'expected' | 'return'> | null;
};
export type DecisionFilter = Asked<{
  verdict: DecisionRow['verdict'];
  reason: string;
  contact: string;
  enrollment: string;
  /** The slug. */
  sequence: string;
  step: string;
  sinceMs: number;
}>;

/** What was decided about steps, and why: the newest first. */
export function listDecisions(deps: ReadDeps, tenantId: string, filter: DecisionFilter, page: PageWanted): Promise<Page<DecisionView>> {
  return readList(deps, tenantId, async (tx) => {
    const { verdict, reason, contact, enrollment, sequence, step, sinceMs } = filter;
    // Known by its id, so that Postgres plans for how many decisions this very sequence has.
    const [of] = sequence === undefined ? [] : await tx.select({ id: sequences.id }).from(sequences).where(eq(sequences.slug, sequence));
    if (sequence !== undefined && of === undefined) return { items: [], next: null };
    const found = await tx
      .select({ row: decisions, contactId: enrollments.contactId, version: sequenceVersions.version })
      .from(decisions)
      .innerJoin(enrollments, eq(enrollments.id, decisions.enrollmentId))
      .innerJoin(sequenceVersions, eq(sequenceVersions.id, decisions.versionId))
      .where(
        and(
          verdict === undefined ? undefined : eq(decisions.verdict, verdict),
          reason === undefined ? undefined : eq(decisions.reason, reason),
          contact === undefined ? undefined : inArray(decisions.enrollmentId, enrollmentsOf(tx, contact)),
          enrollment === undefined ? undefined : eq(decisions.enrollmentId, enrollment),
          of === undefined ? undefined : eq(enrollments.sequenceId, of.id),
          step === undefined ? undefined : eq(decisions.stepId, step),
          sinceMs === undefined ? undefined : since(decisions.at, decisions.id, sinceMs),
          beyond(decisions.id, 'newest', page),
        ),
      )
      .orderBy(byAge(decisions.id, 'newest', page))
      .limit(page.limit + 1);
    const { items, next } = pageOf(found, page.limit, ({ row }) => row.id);
    const belongings = await belongingsOf(
      tx,
      items.map(({ row }) => row),
    );
    const interventions = await interventionsOf(tx, await judgedNow(tx, deps, tenantId), [...new Set(items.map(({ row }) => row.enrollmentId))]);
    const worthOf = (row: DecisionRow) =>
      interventions.find(({ id }) => id === row.enrollmentId)?.actions.find(({ step: of }) => of === row.stepId) ?? null;
    const views = items.flatMap(({ row, contactId, version }) =>
      ofOne(belongings, row, (one) => {
        const facts = { stepId: row.stepId, verdict: row.verdict, reason: row.reason, untilMs: row.until, checks: row.checks };
        return { row, contactId, version, sentence: decisionSentence(deps.subjects.of(one.subject.kind).words, facts), worth: worthOf(row) };
      }),
    );
    return { items: views, next };
  });
}

// What is claimed is live, and live messages have an index of their own (docs/fence.md).
const stateIs = (state: MessageRow['state']): SQL | undefined =>
  and(eq(messages.state, state), state === 'claimed' ? eq(messages.live, true) : undefined);

/** Every contact of the person to whom one belongs. */
const samePerson = (tx: Tx, contactId: string) =>
  tx
    .select({ id: contacts.id })
    .from(contacts)
    .where(eq(contacts.personId, sql`(select c.person_id from contacts c where c.id = ${contactId})` as SQL<string>));

const enrollmentsOf = (tx: Tx, contactId: string) =>
  tx
    .select({ id: enrollments.id })
    .from(enrollments)
    .where(inArray(enrollments.contactId, samePerson(tx, contactId)));

const ofOne = <T>(belongings: Map<string, Belonging>, { enrollmentId }: { enrollmentId: string }, show: (one: Belonging) => T): (Belonging & T)[] => {
  const one = belongings.get(enrollmentId);
  return one === undefined ? [] : [{ ...one, ...show(one) }];
};

/** By the enrollment's id. */
async function belongingsOf(tx: Tx, rows: readonly { enrollmentId: string }[]): Promise<Map<string, Belonging>> {
  const ids = [...new Set(rows.map(({ enrollmentId }) => enrollmentId))];
  if (ids.length === 0) return new Map();
  const found = await tx
    .select({ id: enrollments.id, subjectId: enrollments.subjectId, subjectKind: enrollments.subjectKind, slug: sequences.slug })
    .from(enrollments)
    .innerJoin(sequences, eq(sequences.id, enrollments.sequenceId))
    .where(inArray(enrollments.id, ids));
  const externalIds = await readExternalIds(
    tx,
    found.map(({ subjectId }) => subjectId),
  );
  return new Map(
    found.map(({ id, subjectId, subjectKind, slug }) => [
      id,
      { enrollmentId: id, sequence: slug, subject: { id: subjectId, kind: kindOf({ subjectKind }), externalIds: externalIds.get(subjectId) ?? [] } },
    ]),
  );
}
