import { and, asc, desc, eq, getTableColumns, gt, inArray, sql } from 'drizzle-orm';
import { formatMoney } from '../../content/money.ts';
import type { TenantSummary, Tx } from '../../db/client.ts';
import { enrollmentEvents, enrollments, messages, sequences, subjects } from '../../db/schema/index.ts';
import { compilePlan } from '../../domain/sequence/compile-plan.ts';
import type { Words } from '../../domain/subjects/kind.ts';
import { readProgress } from '../dispatch/progress.ts';
import { kindOf, valueOf } from '../subject-row.ts';
import { nextStepAt, type ReadDeps } from './enrollment.ts';
import { eventSentence } from './sentences.ts';

/** One event of a story. */
export interface Happening {
  atMs: number;
  type: string;
  stepId: string | null;
  /** Of a message; null: it is about none, or an older build noted none. */
  channel: string | null;
  reason: string | null;
  /** What an order was worth, ready to be shown; null: nothing to show. */
  amount: string | null;
  sentence: string;
}

/** A person's story, for the live page: no personal data, the person gets an invented name. */
export interface Story {
  enrollmentId: string;
  tenant: TenantSummary;
  sequence: string;
  alias: string;
  /** The words of its kind of subject. */
  words: Words;
  kind: string;
  /** What the subject is worth, ready to be shown: now, and when the sequence began where that differs. null: unknown. */
  amount: string | null;
  status: 'ACTIVE' | 'PAUSED' | 'COMPLETED' | 'CONVERTED' | 'EXITED';
  /** Before, the sequence has not begun. */
  activated: boolean;
  happenings: Happening[];
  /** `channel`: the first that the step would take. */
  next: { stepId: string; atMs: number; channel: string } | null;
}

/** The newest stories of a tenant, the newest first. */
export function readNewestStories(deps: ReadDeps, tenant: TenantSummary, limit: number): Promise<Story[]> {
  return deps.db.withTenant(tenant.id, async (tx) => {
    const rows = await tx.select({ id: enrollments.id }).from(enrollments).orderBy(desc(enrollments.id)).limit(limit);
    return readStories(
      tx,
      deps,
      tenant,
      rows.map((r) => r.id),
    );
  });
}

export interface News {
  /** Ids of the events, so that the next call leaves them out. */
  eventIds: string[];
  stories: Story[];
}

// At most this many at once: a page shows the stories of a few dozen people, and more would scroll out of it at once.
const mostNews = 200;
/** Of one story; a subject that is changed for hours shows the latest. */
const mostHappenings = 100;

/**
 * Stories of a tenant to which something was added, the newest first, `limit` at most.
 * @param sinceMs - epoch ms; a few seconds before the last call: a transaction commits later than its rows get their ids
 * @param told - ids of events that were returned before
 */
export function readNews(
  deps: ReadDeps,
  tenant: TenantSummary,
  { sinceMs, told, limit }: { sinceMs: number; told: ReadonlySet<string>; limit: number },
): Promise<News> {
  return deps.db.withTenant(tenant.id, async (tx) => {
    const rows = await tx
      .select({ id: enrollmentEvents.id, enrollmentId: enrollmentEvents.enrollmentId })
      .from(enrollmentEvents)
      .where(gt(enrollmentEvents.id, firstIdAt(sinceMs)))
      .orderBy(desc(enrollmentEvents.id))
      .limit(mostNews);
    const fresh = rows.filter((r) => !told.has(r.id));
    const ids = [...new Set(fresh.map((r) => r.enrollmentId))].slice(0, limit);
    return { eventIds: rows.map((r) => r.id), stories: await readStories(tx, deps, tenant, ids) };
  });
}

/** The smallest UUIDv7 of a millisecond: ids are ordered by time, so the primary key finds what is new. */
function firstIdAt(ms: number): string {
  const hex = Math.max(0, Math.floor(ms)).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

async function readStories(tx: Tx, deps: ReadDeps, tenant: TenantSummary, ids: string[]): Promise<Story[]> {
  if (ids.length === 0) return [];
  const rows = await tx
    .select({
      row: enrollments,
      sequence: sequences.slug,
      nowMinor: sql<string | null>`coalesce(${subjects.valueMinor}, ${subjects.totalMinor})`,
      nowCurrency: subjects.currency,
    })
    .from(enrollments)
    .innerJoin(sequences, and(eq(sequences.tenantId, enrollments.tenantId), eq(sequences.id, enrollments.sequenceId)))
    .innerJoin(subjects, and(eq(subjects.tenantId, enrollments.tenantId), eq(subjects.id, enrollments.subjectId)))
    .where(inArray(enrollments.id, ids))
    .orderBy(desc(enrollments.id));
  const { id, enrollmentId, type, at, inboxId, data } = getTableColumns(enrollmentEvents);
  const latest = tx
    .select({ id, enrollmentId, type, at, inboxId, data })
    .from(enrollmentEvents)
    .where(and(eq(enrollmentEvents.tenantId, enrollments.tenantId), eq(enrollmentEvents.enrollmentId, enrollments.id)))
    .orderBy(desc(at), desc(id))
    .limit(mostHappenings)
    .as('latest');
  const events = await tx
    .select({ id: latest.id, enrollmentId: latest.enrollmentId, type: latest.type, at: latest.at, inboxId: latest.inboxId, data: latest.data })
    .from(enrollments)
    .crossJoinLateral(latest)
    .where(inArray(enrollments.id, ids))
    .orderBy(asc(latest.at), asc(latest.id));
  // Without the pinned emails: they are most of a message, and nothing of them is shown.
  const { stepId, state, failures, refusedForGood, claimedAt, settledAt, createdAt } = getTableColumns(messages);
  const ledger = await tx
    .select({ enrollmentId: messages.enrollmentId, stepId, state, failures, refusedForGood, claimedAt, settledAt, createdAt })
    .from(messages)
    .where(inArray(messages.enrollmentId, ids));
  const stories: Story[] = [];
  for (const { row, sequence, nowMinor, nowCurrency } of rows) {
    const version = await deps.versions.load(tx, row.versionId);
    const plan = compilePlan(version.definition, version.version, row.timeScale);
    const progress = readProgress(
      row,
      ledger.filter((m) => m.enrollmentId === row.id),
    );
    const kind = kindOf(row);
    const { words } = deps.subjects.of(kind);
    const next = row.endedAt === null ? nextStepAt(plan, progress, deps.clock.nowMs()) : null;
    stories.push({
      enrollmentId: row.id,
      tenant,
      sequence,
      alias: `${words.alias} ${row.id.slice(-4)}`,
      words,
      kind,
      amount: amountsOf(words, row, formatMoney(nowMinor === null ? null : Number(nowMinor), nowCurrency, 'en')),
      status: row.status,
      activated: row.activatedAt !== null,
      happenings: orderFirst(events.filter((e) => e.enrollmentId === row.id)).map((event) => toHappening(words, event)),
      next: next === null ? null : { ...next, channel: plan.steps.find((step) => step.id === next.stepId)?.channels[0] ?? '' },
    });
  }
  return stories;
}

/** "€40.00 when it was left, €35.00 now": the same two amounts as the API has, one where they agree. */
function amountsOf(words: Words, row: typeof enrollments.$inferSelect, now: string | null): string | null {
  const then = formatMoney(valueOf(row), row.currency, 'en');
  if (row.activatedAt === null || then === now || then === null) return now ?? then;
  return `${then} ${words.atActivation}, ${now ?? 'unknown'} now`;
}

type EventRow = Pick<typeof enrollmentEvents.$inferSelect, 'type' | 'at' | 'inboxId' | 'data'>;

/** An order and the stop that it causes are written by one delivery; the story shows the order first. */
function orderFirst(events: EventRow[]): EventRow[] {
  const told = [...events];
  for (const [index, event] of events.entries()) {
    const before = events[index - 1];
    if ((event.type === 'recovered' || event.type === 'order_void') && before?.type === 'stopped' && before.inboxId === event.inboxId) {
      told[index - 1] = event;
      told[index] = before;
    }
  }
  return told;
}

function toHappening(words: Words, { at, type, data }: EventRow): Happening {
  const text = (value: unknown) => (typeof value === 'string' ? value : null);
  const { value_minor: minor, currency } = data;
  const amount = typeof minor === 'number' && typeof currency === 'string' ? formatMoney(minor, currency, 'en') : null;
  return {
    atMs: at,
    type,
    stepId: text(data['step']),
    channel: text(data['channel']),
    reason: text(data['reason']),
    amount,
    sentence: eventSentence(words, type, data),
  };
}
