import { and, eq, inArray, isNotNull, or, type SQL, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { openCounts, sequenceDrafts, sequences, sequenceVersions, versionMoves } from '../../db/schema/index.ts';
import type { SequenceDefinition } from '../../domain/sequence/definition.ts';
import { kindOfSequence } from '../../domain/sequence/triggers.ts';
import type { Deps } from '../deps.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted, readSorted } from '../read/page.ts';

export interface SequenceView {
  id: string;
  slug: string;
  name: string;
  /** What its version in use is about, such as `cart`; null: nothing was published. */
  about: string | null;
  status: 'DRAFT' | 'ACTIVE' | 'ARCHIVED';
  paused: boolean;
  /** The version in use; null: nothing was published. */
  version: number | null;
  hasDraft: boolean;
  /** Enrollments that have not ended, of all versions. */
  open: number;
}

export interface VersionView {
  version: number;
  publishedAtMs: number;
  /** Null: it came with the installation. */
  publishedBy: string | null;
  open: number;
  /** What becomes of those on it at their next decision; null: they stay. */
  running: { to: number } | { exit: string } | null;
}

type ReadDeps = Pick<Deps, 'db'>;
type SequenceDeps = Pick<Deps, 'db' | 'subjects'>;

/** The sequences of a store, in the order in which they were made. @param page - `after` is an id */
export function listSequences(deps: SequenceDeps, tenantId: string, page: PageWanted): Promise<Page<SequenceView>> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const columns = { slug: sequences.slug };
    const { items, next } = await readSorted(page, { usual: 'oldest', id: sequences.id, columns }, async (part) =>
      (await read(tx, deps, part.where, part.limit, part.orderBy)).map((row) => ({ ...row, sortedBy: row.slug })),
    );
    return { items, next };
  });
}

/** @returns null where the store has no such sequence */
export async function readSequence(deps: SequenceDeps, tenantId: string, slug: string): Promise<SequenceView | null> {
  return (await deps.db.withTenant(tenantId, (tx) => read(tx, deps, eq(sequences.slug, slug), 1)))[0] ?? null;
}

/** @returns null where the store has no sequence of that id */
export async function slugOfSequence(deps: ReadDeps, tenantId: string, id: string): Promise<string | null> {
  const [row] = await deps.db.withTenant(tenantId, (tx) => tx.select({ slug: sequences.slug }).from(sequences).where(eq(sequences.id, id)));
  return row?.slug ?? null;
}

/** How many enrollments have not ended, by their version. Source: docs/adr/0128-open-enrollments-are-counted-as-they-change.md */
async function openOf(tx: Tx, sequenceIds: readonly string[]): Promise<{ sequenceId: string; versionId: string; count: number }[]> {
  const { sequenceId, versionId, change } = openCounts;
  return tx
    .select({ sequenceId, versionId, count: sql<number>`sum(${change})::int` })
    .from(openCounts)
    .where(inArray(sequenceId, [...sequenceIds]))
    .groupBy(sequenceId, versionId);
}

async function read(
  tx: Tx,
  { subjects }: Pick<Deps, 'subjects'>,
  which: SQL | undefined,
  limit: number,
  orderBy: SQL[] = [],
): Promise<SequenceView[]> {
  const { id, slug, name, status, paused } = sequences;
  // A sequence whose only draft was deleted is nothing.
  const exists = or(isNotNull(sequences.currentVersionId), isNotNull(sequenceDrafts.sequenceId));
  const rows = await tx
    .select({
      ...{ id, slug, name, status, paused, version: sequenceVersions.version, draft: sequenceDrafts.sequenceId },
      begins: sql<{ on: string; about?: string } | null>`jsonb_build_object('on', ${sequenceVersions.definition} -> 'on') ||
        jsonb_strip_nulls(jsonb_build_object('about', ${sequenceVersions.definition} -> 'about'))`,
    })
    .from(sequences)
    .leftJoin(sequenceVersions, eq(sequenceVersions.id, sequences.currentVersionId))
    .leftJoin(sequenceDrafts, eq(sequenceDrafts.sequenceId, sequences.id))
    .where(and(which, exists))
    .orderBy(...orderBy)
    .limit(limit);
  const open = await openOf(
    tx,
    rows.map((row) => row.id),
  );
  return rows.map(({ draft, begins, ...row }) => ({
    ...row,
    about: row.version === null || begins === null ? null : (kindOfSequence(subjects, begins)?.kind ?? null),
    hasDraft: draft !== null,
    open: open.filter((o) => o.sequenceId === row.id).reduce((sum, { count }) => sum + count, 0),
  }));
}

/** The versions of a sequence, the latest first. @param page - `after` is a version. @returns null where the store has no such sequence */
export function listVersions(deps: ReadDeps, tenantId: string, slug: string, page: PageWanted): Promise<Page<VersionView> | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [sequence] = await tx.select({ id: sequences.id }).from(sequences).where(eq(sequences.slug, slug));
    if (sequence === undefined) return null;
    const { id, version, publishedAt, publishedBy } = sequenceVersions;
    const rows = await tx
      .select({
        ...{ id, version, publishedAt, publishedBy, moved: versionMoves.versionId, reason: versionMoves.reason },
        to: sql<number | null>`(select t.version from ${sequenceVersions} t where t.id = ${versionMoves.toVersionId})`,
      })
      .from(sequenceVersions)
      .leftJoin(versionMoves, eq(versionMoves.versionId, sequenceVersions.id))
      .where(and(eq(sequenceVersions.sequenceId, sequence.id), beyond(version, 'newest', page)))
      .orderBy(byAge(version, 'newest', page))
      .limit(page.limit + 1);
    const open = await openOf(tx, [sequence.id]);
    const views = rows.map((row): VersionView => {
      const running = row.to !== null ? { to: row.to } : row.moved !== null ? { exit: row.reason ?? 'version_replaced' } : null;
      return {
        version: row.version,
        publishedAtMs: row.publishedAt,
        publishedBy: row.publishedBy,
        open: open.find((o) => o.versionId === row.id)?.count ?? 0,
        running,
      };
    });
    return pageOf(views, page.limit, (view) => String(view.version));
  });
}

/** The definition of a version. @returns null where there is none */
export function readDefinition(deps: ReadDeps, tenantId: string, slug: string, version: number): Promise<SequenceDefinition | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [found] = await tx
      .select({ definition: sequenceVersions.definition })
      .from(sequenceVersions)
      .innerJoin(sequences, eq(sequences.id, sequenceVersions.sequenceId))
      .where(and(eq(sequences.slug, slug), eq(sequenceVersions.version, version)));
    return found?.definition ?? null;
  });
}
