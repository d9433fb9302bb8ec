import { and, eq, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../../db/client.ts';
import { campaigns, importErrors, importParts, imports } from '../../db/schema/index.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted } from '../read/page.ts';
import { ignoredColumn, importFields, readHeader } from './columns.ts';
import { delimiterOf, headerOf } from '../csv/rows.ts';

export { ignoredColumn, importFields };
export type ImportRow = typeof imports.$inferSelect;
export type ImportErrorRow = typeof importErrors.$inferSelect;

/** The largest file, in bytes. */
export const mostFileBytes = 200 * 1024 * 1024;
const partBytes = 256 * 1024;
/** Of the file, in which the header is looked for. */
const headBytes = 64 * 1024;

export interface ImportWish {
  tenantId: string;
  /** null: routing decides. */
  campaignId: string | null;
  source: string;
  /** What columns hold, by their names; the others are understood by theirs. */
  columns: Readonly<Record<string, string>>;
  actor: string;
}

export type ImportBegun =
  | { kind: 'begun'; row: ImportRow }
  | { kind: 'unknown_campaign' }
  | { kind: 'campaign_not_active' }
  | { kind: 'too_large'; most: number }
  /** Nothing was stored. */
  | { kind: 'unreadable'; reason: string };

/**
 * Store a file of leads, as it comes in; the worker takes its rows in afterwards. Only a whole file is begun: one that breaks off leaves nothing.
 * Source: docs/adr/0042-bulk-import.md
 * @param most - bytes; tests lower it
 */
export async function beginImport(deps: Pick<Deps, 'db'>, wish: ImportWish, file: AsyncIterable<Buffer>, most = mostFileBytes): Promise<ImportBegun> {
  const { tenantId, campaignId, source, actor } = wish;
  const id = uuidv7();
  const refused = await deps.db.withTenant(tenantId, async (tx): Promise<ImportBegun | null> => {
    if (campaignId !== null) {
      const [campaign] = await tx.select({ status: campaigns.status }).from(campaigns).where(eq(campaigns.id, campaignId));
      if (campaign === undefined) return { kind: 'unknown_campaign' };
      if (campaign.status !== 'ACTIVE') return { kind: 'campaign_not_active' };
    }
    // What a process that was killed left behind is of no use to anybody.
    const stale = and(eq(imports.state, 'receiving'), sql`${imports.createdAt} < clock_timestamp() - interval '1 hour'`);
    for (const row of await tx.select({ id: imports.id }).from(imports).where(stale)) await forget(tx, row.id);
    await tx.insert(imports).values({ tenantId, id, campaignId, source, requestedBy: actor });
    return null;
  });
  if (refused !== null) return refused;
  try {
    const stored = await storeFile(deps, tenantId, id, file, most);
    const begun = stored === null ? ({ kind: 'too_large', most } as const) : await begin(deps, wish, id, stored);
    if (begun.kind !== 'begun') await deps.db.withTenant(tenantId, (tx) => forget(tx, id));
    return begun;
  } catch (error) {
    // The sender went away, or the database did.
    await deps.db.withTenant(tenantId, (tx) => forget(tx, id)).catch(() => undefined);
    throw error;
  }
}

async function forget(tx: Tx, id: string): Promise<void> {
  await tx.delete(importParts).where(eq(importParts.importId, id));
  await tx.delete(imports).where(and(eq(imports.id, id), eq(imports.state, 'receiving')));
}

/** @returns the beginning of the file and its size; null: it is too large */
async function storeFile(
  { db }: Pick<Deps, 'db'>,
  tenantId: string,
  importId: string,
  file: AsyncIterable<Buffer>,
  most: number,
): Promise<{ head: string; bytes: number } | null> {
  let [number, bytes] = [0, 0];
  let head = '';
  let waiting: Buffer[] = [];
  let size = 0;
  const flush = async () => {
    if (size === 0) return;
    const data = Buffer.concat(waiting);
    if (number === 0) head = beginningOf(data);
    await db.withTenant(tenantId, (tx) => tx.insert(importParts).values({ tenantId, importId, number, data }));
    number += 1;
    waiting = [];
    size = 0;
  };
  for await (const chunk of file) {
    bytes += chunk.length;
    if (bytes > most) return null;
    waiting.push(chunk);
    size += chunk.length;
    if (size >= partBytes) await flush();
  }
  await flush();
  return { head, bytes };
}

/** The beginning of a file as text. UTF-16 is read where its mark says so, as the rows behind are: some spreadsheets save it. */
function beginningOf(data: Buffer): string {
  const isUtf16 = data[0] === 0xff && data[1] === 0xfe;
  return data.subarray(0, headBytes).toString(isUtf16 ? 'utf16le' : 'utf8');
}

async function begin(deps: Pick<Deps, 'db'>, wish: ImportWish, id: string, { head, bytes }: { head: string; bytes: number }): Promise<ImportBegun> {
  const { tenantId, actor, campaignId, source } = wish;
  const [firstLine = ''] = head.split(/[\r\n]/, 1);
  if (firstLine.includes('\0'))
    return { kind: 'unreadable', reason: 'the file is not UTF-8 (it has zero bytes in its first line): save it as UTF-8' };
  if (firstLine === head && bytes > headBytes)
    return { kind: 'unreadable', reason: 'the first line is longer than 64 KiB: it names the columns, and nothing else stands in it' };
  const delimiter = delimiterOf(head);
  const header = headerOf(head, delimiter);
  if (header === null) return { kind: 'unreadable', reason: 'the file has no header: its first line names the columns' };
  const read = readHeader(header, wish.columns);
  if (read.kind === 'wrong') return { kind: 'unreadable', reason: read.reason };
  const { columns, ignored } = read;
  return deps.db.withTenant(tenantId, async (tx): Promise<ImportBegun> => {
    const [row] = await tx
      .update(imports)
      .set({ state: 'running', format: { delimiter, columns }, ignored: ignored.slice(0, 200), bytes })
      .where(eq(imports.id, id))
      .returning();
    if (row === undefined) throw new Error('an import was not stored');
    await recordAudit(tx, { tenantId, actor, action: 'import.start', subject: id, data: { bytes, source, campaign: campaignId } });
    return { kind: 'begun', row };
  });
}

/** @returns null where the store has no such import */
export const readImport = (deps: Pick<Deps, 'db'>, tenantId: string, id: string): Promise<ImportRow | null> =>
  deps.db.withTenant(tenantId, async (tx) => (await tx.select().from(imports).where(eq(imports.id, id)))[0] ?? null);

/** The newest first. */
export function listImports(deps: Pick<Deps, 'db'>, tenantId: string, page: PageWanted): Promise<Page<ImportRow>> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const rows = await tx
      .select()
      .from(imports)
      .where(beyond(imports.id, 'newest', page))
      .orderBy(byAge(imports.id, 'newest', page))
      .limit(page.limit + 1);
    return pageOf(rows, page.limit, ({ id }) => id);
  });
}

/** What is wrong with the lines of an import, in the order in which it was found. @returns null where the store has no such import */
export function listImportErrors(deps: Pick<Deps, 'db'>, tenantId: string, importId: string, page: PageWanted): Promise<Page<ImportErrorRow> | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [known] = await tx.select({ id: imports.id }).from(imports).where(eq(imports.id, importId));
    if (known === undefined) return null;
    const rows = await tx
      .select()
      .from(importErrors)
      .where(and(eq(importErrors.importId, importId), beyond(importErrors.id, 'oldest', page)))
      .orderBy(byAge(importErrors.id, 'oldest', page))
      .limit(page.limit + 1);
    return pageOf(rows, page.limit, ({ id }) => id);
  });
}

/** End an import: from the next rows on. Who is a lead already stays one. @returns null: there is none; `refused`: it is over */
export function cancelImport(
  deps: Pick<Deps, 'db'>,
  { tenantId, id, actor }: { tenantId: string; id: string; actor: string },
): Promise<{ row: ImportRow; refused: boolean } | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [known] = await tx.select().from(imports).where(eq(imports.id, id)).for('no key update');
    if (known === undefined) return null;
    const isRunning = known.state === 'running';
    if (isRunning) {
      await endImport(tx, id, 'cancelled');
      await recordAudit(tx, { tenantId, actor, action: 'import.cancel', subject: id });
    }
    const [row] = await tx.select().from(imports).where(eq(imports.id, id));
    return row === undefined ? null : { row, refused: !isRunning };
  });
}

/** The file goes with the end: nobody needs its personal data any more. */
export async function endImport(tx: Tx, id: string, state: 'done' | 'cancelled', fault: string | null = null): Promise<void> {
  await tx.update(imports).set({ state, fault, claim: null, endedAt: sql`clock_timestamp()` }).where(eq(imports.id, id));
  await tx.delete(importParts).where(eq(importParts.importId, id));
}
