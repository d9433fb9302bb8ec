import { and, eq, inArray, isNull, lt, ne, or, sql } from 'drizzle-orm';
import { enrollmentEvents, enrollments } from '../../db/schema/index.ts';
import { cart } from '../../domain/subjects/cart/index.ts';
import type { BuiltDeps } from '../create-deps.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted, readList, since } from './page.ts';

/** What happened to a recovery, as programs of the store want to hear it. Amounts in minor units; null: unknown. */
export type RecoveryEvent = { id: string; sequenceId: string; atMs: number } & (
  | { type: 'sequence_started'; minor: number | null; currency: string | null }
  | { type: 'email_sent'; step: string }
  | { type: 'cart_recovered'; minor: number | null; currency: string | null }
);

// Ids grow with time, but a transaction may commit a little after one that began later: nothing is shown before that cannot happen any more.
const settlingMs = 5_000;

const names = { abandoned: 'sequence_started', 'message.sent': 'email_sent', recovered: 'cart_recovered' } as const;
const isNamed = (type: string): type is keyof typeof names => Object.hasOwn(names, type);

/**
 * The events of the store's cart recoveries, the oldest first, drawn from their stories: there is no second record of them.
 * @param page - `after` is the id of the last event that the caller has; `sinceMs`: none before
 */
export function readRecoveryEvents(
  deps: Pick<BuiltDeps, 'db' | 'clock'>,
  tenantId: string,
  page: PageWanted & { sinceMs: number | null },
): Promise<Page<RecoveryEvent>> {
  return readList(deps, tenantId, async (tx) => {
    const rows = await tx
      .select({
        id: enrollmentEvents.id,
        enrollmentId: enrollmentEvents.enrollmentId,
        type: enrollmentEvents.type,
        at: enrollmentEvents.at,
        data: enrollmentEvents.data,
      })
      .from(enrollmentEvents)
      .innerJoin(enrollments, and(eq(enrollments.tenantId, enrollmentEvents.tenantId), eq(enrollments.id, enrollmentEvents.enrollmentId)))
      .where(
        and(
          // As the index over these events has it.
          inArray(enrollmentEvents.type, ['abandoned', 'recovered', 'message.sent']),
          or(ne(enrollmentEvents.type, 'message.sent'), sql`coalesce(${enrollmentEvents.data} ->> 'channel', 'email') = 'email'`),
          or(isNull(enrollments.subjectKind), eq(enrollments.subjectKind, cart.kind)),
          beyond(enrollmentEvents.id, 'oldest', page),
          page.sinceMs === null ? undefined : since(enrollmentEvents.at, enrollmentEvents.id, page.sinceMs),
          lt(enrollmentEvents.at, deps.clock.nowMs() - settlingMs),
        ),
      )
      .orderBy(byAge(enrollmentEvents.id, 'oldest', page))
      .limit(page.limit + 1);
    const { items, next } = pageOf(rows, page.limit, ({ id }) => id);
    return { items: items.flatMap(eventOf), next };
  });
}

function eventOf({
  id,
  enrollmentId: sequenceId,
  type,
  at: atMs,
  data,
}: {
  id: string;
  enrollmentId: string;
  type: string;
  at: number;
  data: Record<string, unknown>;
}): RecoveryEvent[] {
  if (!isNamed(type)) return [];
  const of = { id, sequenceId, atMs };
  const minor = typeof data['value_minor'] === 'number' ? data['value_minor'] : null;
  const currency = typeof data['currency'] === 'string' ? data['currency'] : null;
  const name = names[type];
  return [name === 'email_sent' ? { ...of, type: name, step: String(data['step']) } : { ...of, type: name, minor, currency }];
}
