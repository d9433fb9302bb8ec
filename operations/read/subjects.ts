import { and, eq, inArray } from 'drizzle-orm';
import { subjects } from '../../db/schema/index.ts';
import { readSubject } from '../subject-row.ts';
import type { ReadDeps } from './enrollment.ts';
import { type ExternalId, readExternalIds } from './external-ids.ts';
import { type Search, type Searched, subjectsFound } from './find-enrollments.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted, readList } from './page.ts';

/** What sequences may be about, without personal data. Money in minor units. */
export interface SubjectView {
  id: string;
  kind: string;
  contactId: string | null;
  state: 'open' | 'converted' | 'gone';
  externalIds: ExternalId[];
  currency: string | null;
  valueMinor: number | null;
  startedAtMs: number;
  lastActivityAtMs: number;
  convertedAtMs: number | null;
}

export interface SubjectFilter extends Search {
  kind?: string | undefined;
  state?: SubjectView['state'] | undefined;
}

/** Subjects, the newest first: those that the search finds, or all. */
export function listSubjects(
  deps: Pick<ReadDeps, 'db' | 'subjects'>,
  tenantId: string,
  { kind, state, ...search }: SubjectFilter,
  page: PageWanted,
): Promise<Searched<Page<SubjectView>>> {
  return readList(deps, tenantId, async (tx) => {
    const everything = Object.values(search).every((value) => value === undefined);
    const named = everything ? { kind: 'found' as const, found: null } : await subjectsFound(tx, tenantId, search);
    if (named.kind === 'unreadable') return named;
    if (named.found?.length === 0) return { kind: 'found', found: { items: [], next: null } };
    const rows = await tx
      .select()
      .from(subjects)
      .where(
        and(
          named.found === null ? undefined : inArray(subjects.id, named.found),
          kind === undefined ? undefined : eq(subjects.kind, kind),
          state === undefined ? undefined : eq(subjects.state, state),
          beyond(subjects.id, 'newest', page),
        ),
      )
      .orderBy(byAge(subjects.id, 'newest', page))
      .limit(page.limit + 1);
    const { items, next } = pageOf(rows, page.limit, ({ id }) => id);
    const externalIds = await readExternalIds(
      tx,
      items.map(({ id }) => id),
    );
    const views = items.map((row) => {
      const { currency, valueMinor } = readSubject(deps.subjects, row).subject;
      const { id, contactId, startedAt, lastActivityAt, convertedAt } = row;
      const times = { startedAtMs: startedAt, lastActivityAtMs: lastActivityAt, convertedAtMs: convertedAt };
      return { id, kind: row.kind, contactId, state: row.state, externalIds: externalIds.get(id) ?? [], currency, valueMinor, ...times };
    });
    return { kind: 'found', found: { items: views, next } };
  });
}

/** @returns null where the tenant has no such subject */
export async function readSubjectView(deps: Pick<ReadDeps, 'db' | 'subjects'>, tenantId: string, id: string): Promise<SubjectView | null> {
  const searched = await listSubjects(deps, tenantId, { subjectId: id }, { limit: 50, after: null });
  return searched.kind === 'found' ? (searched.found.items.find((view) => view.id === id) ?? null) : null;
}
