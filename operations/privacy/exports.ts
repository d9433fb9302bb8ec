import { and, eq, inArray, ne, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../../db/client.ts';
import { personExports } from '../../db/schema/index.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted } from '../read/page.ts';
import { contactsOfPerson } from './erasures.ts';
import { gatherPerson, type PersonDocument } from './gather.ts';

export type ExportRow = typeof personExports.$inferSelect;

/** How long an export may be downloaded. */
const keptDays = 7;

interface ExportWish {
  tenantId: string;
  /** Any contact of the person. */
  contactId: string;
  actor: string;
  origin: ExportRow['origin'];
}

/**
 * Have everything gathered that is stored about a person. The row is the request: a worker starts its workflow. While one is being gathered, a repeat
 * answers with it.
 * @returns null: there is no such contact
 */
export function requestExport(deps: Pick<Deps, 'db'>, wish: ExportWish): Promise<ExportRow | null> {
  return deps.db.withTenant(wish.tenantId, (tx) => requestExportIn(tx, wish));
}

/** The same in a transaction of the caller's. */
export async function requestExportIn(tx: Tx, { tenantId, contactId, actor, origin }: ExportWish): Promise<ExportRow | null> {
  const whose = await contactsOfPerson(tx, contactId);
  if (whose === null) return null;
  const [running] = await tx
    .select()
    .from(personExports)
    .where(and(inArray(personExports.contactId, whose.all), eq(personExports.state, 'running')))
    .limit(1);
  if (running !== undefined) return running;
  const [row] = await tx.insert(personExports).values({ tenantId, id: uuidv7(), contactId: whose.person, origin, requestedBy: actor }).returning();
  await recordAudit(tx, { tenantId, actor, action: 'contact.export', subject: whose.person, data: { export: row?.id ?? null } });
  return row ?? null;
}

export interface ExportRef {
  tenantId: string;
  exportId: string;
}

/** Gather and seal it. @returns in how many milliseconds it expires; null: there is nothing to expire */
export async function gatherStep(deps: Deps, { tenantId, exportId }: ExportRef, onProgress: () => void = () => undefined): Promise<number | null> {
  const row = await readExport(deps, tenantId, exportId);
  if (row === null || row.state === 'expired') return null;
  if (row.state === 'running') {
    const document = await gatherPerson(deps, tenantId, row.contactId, onProgress);
    const rows = Object.fromEntries(Object.entries(document.tables).map(([table, list]) => [table, list.length]));
    await deps.db.withTenant(tenantId, async (tx) => {
      // An erasure since then has expired it, and nothing is stored.
      const [now] = await tx.select().from(personExports).where(eq(personExports.id, exportId)).for('no key update');
      if (now?.state !== 'running') return;
      await tx
        .update(personExports)
        .set({
          state: 'ready',
          sealedDocument: deps.sealing.seal(JSON.stringify(document)),
          rows,
          readyAt: sql`clock_timestamp()`,
          expiresAt: sql`clock_timestamp() + make_interval(days => ${keptDays}::int)`,
        })
        .where(eq(personExports.id, exportId));
    });
  }
  const ready = await readExport(deps, tenantId, exportId);
  return ready?.state === 'ready' && ready.expiresAt !== null ? Math.max(0, ready.expiresAt - deps.clock.nowMs()) : null;
}

/** Its time is over: the document goes. */
export async function expireStep(deps: Pick<Deps, 'db'>, { tenantId, exportId }: ExportRef): Promise<void> {
  await deps.db.withTenant(tenantId, (tx) =>
    tx
      .update(personExports)
      .set({ state: 'expired', sealedDocument: null })
      .where(and(eq(personExports.id, exportId), ne(personExports.state, 'expired'))),
  );
}

export function readExport(deps: Pick<Deps, 'db'>, tenantId: string, id: string): Promise<ExportRow | null> {
  return deps.db.withTenant(tenantId, async (tx) => (await tx.select().from(personExports).where(eq(personExports.id, id)))[0] ?? null);
}

/** The latest first. */
export function listExports(deps: Pick<Deps, 'db'>, tenantId: string, page: PageWanted): Promise<Page<ExportRow>> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const rows = await tx
      .select()
      .from(personExports)
      .where(beyond(personExports.id, 'newest', page))
      .orderBy(byAge(personExports.id, 'newest', page))
      .limit(page.limit + 1);
    return pageOf(rows, page.limit, (row) => row.id);
  });
}

export type Downloaded = { kind: 'document'; document: PersonDocument } | { kind: 'unknown' | 'running' | 'expired' };

/** Each download is recorded in the audit log. */
export async function downloadExport(deps: Pick<Deps, 'db' | 'sealing' | 'clock'>, ref: ExportRef & { actor: string }): Promise<Downloaded> {
  const { tenantId, exportId, actor } = ref;
  return deps.db.withTenant(tenantId, async (tx): Promise<Downloaded> => {
    const [row] = await tx.select().from(personExports).where(eq(personExports.id, exportId));
    if (row === undefined) return { kind: 'unknown' };
    if (row.state === 'running') return { kind: 'running' };
    if (row.sealedDocument === null || (row.expiresAt ?? 0) <= deps.clock.nowMs()) return { kind: 'expired' };
    await recordAudit(tx, { tenantId, actor, action: 'contact.export_download', subject: row.contactId, data: { export: exportId } });
    // Nobody but `gatherStep` writes the column.
    return { kind: 'document', document: JSON.parse(deps.sealing.open(row.sealedDocument)) as PersonDocument };
  });
}
