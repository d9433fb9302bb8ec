import { and, desc, eq, gt, inArray, isNull, lte, or, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../db/client.ts';
import { facts, subjectKeys, tenants } from '../db/schema/index.ts';
import { type Fact, type FactKindName, factKindNames, readStoredFact } from '../domain/facts/index.ts';
import { factFrom, factReport, type NewFact, type ReportedFact } from '../domain/facts/report.ts';
import { settingsOf } from '../domain/tenant-settings.ts';
import type { Deps } from './deps.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted, readList } from './read/page.ts';

export { factKindNames, factReport };

export type FactRow = typeof facts.$inferSelect;

export type FactsStored =
  | { kind: 'stored'; facts: { row: FactRow; created: boolean }[] }
  /** None was stored. `index`: which of them is wrong. */
  | { kind: 'invalid'; errors: { index: number; field: string; reason: string }[] };

/** Store what somebody states by the API: all of it or nothing. A repeat finds what it stored before. */
export function storeFacts(deps: Pick<Deps, 'db' | 'clock'>, tenantId: string, reported: readonly ReportedFact[]): Promise<FactsStored> {
  return deps.db.withTenant(tenantId, async (tx): Promise<FactsStored> => {
    const [tenant] = await tx.select().from(tenants).where(eq(tenants.id, tenantId));
    if (tenant === undefined) throw new Error('the tenant does not exist');
    const nowMs = deps.clock.nowMs();
    const made = reported.map((one) => factFrom(one, { by: 'api', settings: settingsOf(tenant), nowMs }));
    const errors = made.flatMap((one, index) => (one.ok ? [] : [{ index, field: one.field, reason: one.reason }]));
    if (errors.length > 0) return { kind: 'invalid', errors };
    const rows = made.flatMap((one) => (one.ok ? [{ id: uuidv7(), ...one.fact }] : []));
    const inOrder = [...rows].sort((a, b) => orderOf(a).localeCompare(orderOf(b)));
    const created = await tx
      .insert(facts)
      .values(inOrder.map(({ observedAtMs, expiresAtMs, ...fact }) => ({ ...fact, tenantId, observedAt: observedAtMs, expiresAt: expiresAtMs })))
      .onConflictDoNothing()
      .returning();
    const stored: { row: FactRow; created: boolean }[] = [];
    for (const row of rows) {
      const fresh = created.find(({ id }) => id === row.id);
      stored.push(fresh === undefined ? { row: await sameFact(tx, row), created: false } : { row: fresh, created: true });
    }
    return { kind: 'stored', facts: stored };
  });
}

/** Callers that store the same facts at once wait for each other in one order. */
const orderOf = ({ kind, subject, observedAtMs, source }: NewFact) => `${kind}\n${subject}\n${String(observedAtMs).padStart(16, '0')}\n${source}`;

/** What was stated before, in the very same words. */
async function sameFact(tx: Tx, fact: NewFact): Promise<FactRow> {
  const [row] = await tx
    .select()
    .from(facts)
    .where(
      and(
        eq(facts.kind, fact.kind),
        eq(facts.subject, fact.subject),
        eq(facts.observedAt, fact.observedAtMs),
        eq(facts.source, fact.source),
        eq(facts.expiresAt, fact.expiresAtMs),
        isNull(facts.connectionId),
        sql`${facts.value} = ${JSON.stringify(fact.value)}::jsonb`,
      ),
    );
  if (row === undefined) throw new Error('a fact was neither stored nor known');
  return row;
}

/** What facts are listed by. `fresh`: whether they may be stated now. */
export interface FactSearch {
  kind?: FactKindName | undefined;
  subject?: string | undefined;
  fresh?: boolean | undefined;
}

/** Facts, the latest recorded first. */
export function listFacts(
  deps: Pick<Deps, 'db' | 'clock'>,
  tenantId: string,
  { kind, subject, fresh }: FactSearch,
  page: PageWanted,
): Promise<Page<FactRow>> {
  return readList(deps, tenantId, async (tx) => {
    const nowMs = deps.clock.nowMs();
    const isFresh = and(lte(facts.observedAt, nowMs), gt(facts.expiresAt, nowMs));
    const rows = await tx
      .select()
      .from(facts)
      .where(
        and(
          kind === undefined ? undefined : eq(facts.kind, kind),
          subject === undefined ? undefined : inArray(facts.subject, [...new Set([subject, subject.trim().replace(/\s+/gu, ' ').toLowerCase()])]),
          fresh === undefined ? undefined : fresh ? isFresh : sql`not (${isFresh})`,
          beyond(facts.id, 'newest', page),
        ),
      )
      .orderBy(byAge(facts.id, 'newest', page))
      .limit(page.limit + 1);
    return pageOf(rows, page.limit, ({ id }) => id);
  });
}

/** More facts about one subject say nothing new. */
const mostFacts = 500;

/** Which statements are asked for. */
export interface LatestOf {
  /** In the spelling of their kinds. */
  subjects: readonly string[];
  /** The cart or lead that names them: the ids are those of the connections that know it. */
  ofSubjectId: string;
  /** As it was then; absent: now. */
  untilMs?: number;
}

/** The latest statements about some subjects, by kind. Of an area, the latest of each trigger. */
export async function latestFacts(tx: Tx, { subjects, ofSubjectId, untilMs }: LatestOf): Promise<Fact[]> {
  const trigger = sql`coalesce(${facts.value} ->> 'trigger', '')`;
  const rows = await tx
    .selectDistinctOn([facts.kind, facts.subject, trigger], {
      id: facts.id,
      kind: facts.kind,
      subject: facts.subject,
      value: facts.value,
      source: facts.source,
      observedAtMs: facts.observedAt,
      expiresAtMs: facts.expiresAt,
    })
    .from(facts)
    .where(
      and(
        inArray(facts.kind, factKindNames),
        inArray(facts.subject, [...new Set(subjects)]),
        or(
          isNull(facts.connectionId),
          inArray(facts.connectionId, tx.select({ id: subjectKeys.connectionId }).from(subjectKeys).where(eq(subjectKeys.subjectId, ofSubjectId))),
        ),
        untilMs === undefined ? undefined : lte(facts.observedAt, untilMs),
      ),
    )
    // Of several of one instant, the later arrival counts.
    .orderBy(facts.kind, facts.subject, trigger, desc(facts.observedAt), desc(facts.id))
    .limit(mostFacts);
  return rows.flatMap((row) => readStoredFact(row) ?? []);
}
