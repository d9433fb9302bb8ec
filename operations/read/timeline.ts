import { inArray, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { messages } from '../../db/schema/index.ts';
import type { GateCheck } from '../../domain/gates/verdict.ts';
import { cart } from '../../domain/subjects/cart/index.ts';
import type { ReadDeps } from './enrollment.ts';
import { isDescending, type Page, pageOf, type PageWanted } from './page.ts';
import { decisionSentence, eventSentence, messageSentence, providerEventSentence } from './sentences.ts';

/** Everything that a timeline may show. */
export const timelineKinds = ['enrollment', 'event', 'decision', 'message', 'provider_event', 'consent', 'task', 'order', 'merge'] as const;
export type TimelineKind = (typeof timelineKinds)[number];

/** One dated entry about a person. `type` is for programs, `sentence` for people. */
export interface TimelineEntry {
  id: string;
  kind: TimelineKind;
  atMs: number;
  /** What happened, by its kind: the state of a message, the verdict of a decision, the type of an event … */
  type: string;
  enrollmentId: string | null;
  step: string | null;
  sentence: string;
}

interface Row extends Record<string, unknown> {
  id: string;
  kind: TimelineKind;
  at_ms: number;
  type: string;
  enrollment_id: string | null;
  step_id: string | null;
  subject_kind: string | null;
  data: Record<string, unknown>;
}

/**
 * Everything that is recorded about a person, under any of their contacts, the latest first.
 * @param page.after - `<epoch milliseconds>:<id>` of the last entry of the page before
 * @returns null where the tenant has no such contact
 */
export function readTimeline(
  deps: Pick<ReadDeps, 'db' | 'subjects'>,
  tenantId: string,
  contactId: string,
  { kind, limit, after, order }: PageWanted & { kind: TimelineKind | null },
): Promise<Page<TimelineEntry> | null> {
  const descending = isDescending('newest', { order });
  return deps.db.withTenant(tenantId, async (tx) => {
    const { rows: theirs } = await tx.execute<{ id: string }>(
      sql`select c.id from contacts c where c.person_id = (select p.person_id from contacts p where p.id = ${contactId})`,
    );
    if (theirs.length === 0) return null;
    const [beforeMs, beforeId] = after?.split(':') ?? [null, null];
    const { rows } = await tx.execute<Row>(sql`
      with who as (select c.id from contacts c where c.id = any(${`{${theirs.map(({ id }) => id).join(',')}}`}::uuid[])),
      runs as (
        select e.id, coalesce(e.subject_kind, ${cart.kind}) as subject_kind, e.enrolled_at, q.slug
        from enrollments e join sequences q on q.id = e.sequence_id where e.contact_id in (select id from who)),
      things as (select s.id from subjects s where s.contact_id in (select id from who)),
      entries as (
        select r.id, 'enrollment' as kind, r.enrolled_at as at, 'enrolled' as type, r.id as enrollment_id, null as step_id, r.subject_kind,
          jsonb_build_object('sequence', r.slug) as data from runs r
        union all
        select v.id, 'event', v.at, v.type, v.enrollment_id, v.data ->> 'step', r.subject_kind, v.data from enrollment_events v join runs r on r.id = v.enrollment_id
        union all
        select d.id, 'decision', d.at, d.verdict, d.enrollment_id, d.step_id, r.subject_kind,
          jsonb_build_object('reason', d.reason, 'until', extract(epoch from d.until) * 1000, 'checks', d.checks)
        from decisions d join runs r on r.id = d.enrollment_id
        union all
        select m.id, 'message', coalesce(m.settled_at, m.claimed_at, m.created_at), m.state, m.enrollment_id, m.step_id, r.subject_kind, '{}'
        from messages m join runs r on r.id = m.enrollment_id
        union all
        select x.id, 'provider_event', x.occurred_at, x.type, x.enrollment_id, m.step_id, r.subject_kind, jsonb_build_object('machine', x.machine, 'data', x.data)
        from message_events x join messages m on m.id = x.message_id join runs r on r.id = x.enrollment_id
        union all
        select c.id, 'consent', c.occurred_at, c.state, null, null, null, jsonb_build_object('channel', c.channel, 'source', c.source)
        from consents c where c.contact_id in (select id from who)
        union all
        select t.id, 'task', t.created_at, t.kind, null, null, null, jsonb_build_object('state', t.state)
        from tasks t where t.subject_id in (select id from things)
        union all
        select o.id, 'order', o.placed_at, case when o.reversed_at is null then 'placed' else 'cancelled' end, o.enrollment_id, null, null,
          jsonb_build_object('order', o.order_id)
        from conversions o where o.contact_id in (select id from who) or o.subject_id in (select id from things)
        union all
        select g.id, 'merge', g.merged_at, case when g.undone_at is null then 'merged' else 'undone' end, null, null, null, '{}'
        from contact_merges g where g.kept_contact_id in (select id from who) or g.merged_contact_id in (select id from who)),
      dated as (
        select id, kind, floor(extract(epoch from at) * 1000)::float8 as at_ms, type, enrollment_id, step_id, subject_kind, data from entries
        where ${kind === null ? sql`true` : sql`kind = ${kind}`})
      select * from dated
      where ${beforeMs === null || beforeId === undefined ? sql`true` : sql`(at_ms, id) ${sql.raw(descending ? '<' : '>')} (${Number(beforeMs)}::float8, ${beforeId}::uuid)`}
      order by at_ms ${sql.raw(descending ? 'desc' : 'asc')}, id ${sql.raw(descending ? 'desc' : 'asc')} limit ${limit + 1}`);
    const { items, next } = pageOf(rows, limit, ({ at_ms, id }) => `${at_ms}:${id}`);
    const ledger = await messagesOf(tx, items);
    return { items: items.map((row) => ({ ...entryOf(row), sentence: sentenceOf(deps, row, ledger) })), next };
  });
}

const entryOf = ({ id, kind, at_ms, type, enrollment_id, step_id }: Row) => ({
  id,
  kind,
  atMs: at_ms,
  type,
  enrollmentId: enrollment_id,
  step: step_id,
});

type Ledger = ReadonlyMap<string, typeof messages.$inferSelect>;

async function messagesOf(tx: Tx, rows: readonly Row[]): Promise<Ledger> {
  const ids = rows.filter(({ kind }) => kind === 'message').map(({ id }) => id);
  if (ids.length === 0) return new Map();
  const found = await tx.select().from(messages).where(inArray(messages.id, ids));
  return new Map(found.map((row) => [row.id, row]));
}

function sentenceOf({ subjects }: Pick<ReadDeps, 'subjects'>, { id, kind, type, step_id, subject_kind, data }: Row, ledger: Ledger): string {
  const { words } = subjects.of(subject_kind ?? cart.kind);
  const text = (name: string) => (typeof data[name] === 'string' ? data[name] : '');
  switch (kind) {
    case 'enrollment':
      return `Taken into the sequence ${text('sequence')}.`;
    case 'event':
      return eventSentence(words, type, data);
    case 'decision': {
      const untilMs = data['until'] === null ? null : Number(data['until']);
      const verdict = type as 'send' | 'defer' | 'hold' | 'skip' | 'stop';
      return decisionSentence(words, { stepId: step_id ?? '', verdict, reason: text('reason'), untilMs, checks: data['checks'] as GateCheck[] });
    }
    case 'message': {
      const row = ledger.get(id);
      return row === undefined ? '' : messageSentence(words, row);
    }
    case 'provider_event':
      return providerEventSentence(words, step_id ?? '', type, data['machine'] === true, data['data'] as Record<string, unknown>);
    case 'consent':
      return `${type === 'granted' ? 'Agreed to' : 'Declined'} messages ${text('channel') === 'all' ? 'on every channel' : `by ${text('channel')}`} (${text('source')}).`;
    case 'task':
      return `A task for a colleague: ${type} (${text('state')}).`;
    case 'order':
      return type === 'placed' ? `Placed the order ${text('order')}.` : `Placed the order ${text('order')}, which was cancelled.`;
    case 'merge':
      return type === 'merged'
        ? 'Turned out to be the same person as another contact.'
        : 'Was taken for the same person as another contact, which was undone.';
  }
}
