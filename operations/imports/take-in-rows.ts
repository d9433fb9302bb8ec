import { and, eq, sql } from 'drizzle-orm';
import { setTimeout as pause } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { campaignLeads, importErrors, importParts, imports } from '../../db/schema/index.ts';
import { faultOf } from '../../db/client.ts';
import { createLead, type LeadCreated } from '../campaigns/create-lead.ts';
import { enterCampaign } from '../campaigns/enter.ts';
import type { Deps } from '../deps.ts';
import { readRow } from './columns.ts';
import { endImport, type ImportRow } from './imports.ts';
import { type CsvMistake, type CsvRow, readRows } from '../csv/rows.ts';

/** So many rows are taken in side by side. More would take a file in somewhat faster, and hold up the due steps of other stores in this process. */
const lanes = 4;
/** So many are committed as done together, and looked at again after a crash. */
const usualStep = 200;
/** An import with more lines in which something is wrong ends: the file is not what it was taken for, and a list of all of them helps nobody. */
const usualMostMistakes = 10_000;
/** Longer than the slowest step; a worker that died gives its import up after that. */
const claimedForMs = 120_000;

export interface ImportWorker {
  /** Go on with every import that nobody works at. @returns false: there is nothing to do at once */
  pass(): Promise<boolean>;
  /** Resolves when every step in hand is over; another worker goes on behind it. */
  stop(): Promise<void>;
}

/** Takes in the rows of stored files, by the same way in as `POST /api/leads`. */
export function createImportWorker(deps: Deps, { perStep = usualStep, mostMistakes = usualMostMistakes } = {}): ImportWorker {
  const ended = new AbortController();
  const running = new Map<string, Promise<void>>();
  return {
    async pass() {
      if (ended.signal.aborted) return false;
      for (const tenantId of await deps.db.tenantsWithWork('imports')) {
        for (const row of await claimOpen(deps, tenantId)) {
          const work = goOn(deps, row, { perStep, mostMistakes }, ended.signal)
            .catch((error: unknown) => putOff(deps, row, error))
            .finally(() => running.delete(row.id));
          running.set(row.id, work);
        }
      }
      return false;
    },
    async stop() {
      ended.abort();
      await Promise.all(running.values());
    },
  };
}

/** The first worker to update a row has it. */
function claimOpen({ db }: Pick<Deps, 'db'>, tenantId: string): Promise<ImportRow[]> {
  return db.withTenant(tenantId, (tx) =>
    tx
      .update(imports)
      .set({ claim: uuidv7(), claimedUntil: until(claimedForMs) })
      .where(and(eq(imports.state, 'running'), sql`claimed_until <= clock_timestamp()`))
      .returning(),
  );
}

const until = (ms: number) => sql`clock_timestamp() + make_interval(secs => ${ms / 1_000})`;

async function putOff(deps: Deps, { tenantId, id, claim }: ImportRow, error: unknown): Promise<void> {
  const fault = error instanceof HeldUpError ? error.message : faultOf(error);
  deps.log.error({ import: id, err: error }, 'an import does not go on, and is tried again in a while');
  await deps.db
    .withTenant(tenantId, (tx) =>
      tx
        .update(imports)
        .set({ fault: fault.slice(0, 500), claim: null, claimedUntil: until(10_000) })
        .where(and(eq(imports.id, id), eq(imports.claim, claim ?? ''))),
    )
    // The database is away: the claim runs out by itself.
    .catch(() => undefined);
}

/** Thrown where no row can be taken in now; the message says what to do. */
class HeldUpError extends Error {
  readonly code = 'held_up';
  override readonly name = 'HeldUpError';
}

interface Found extends CsvMistake {
  takenIn: boolean;
}

interface Limits {
  perStep: number;
  mostMistakes: number;
}

/** Take in what is left of a file, step by step. Memory holds a part of the file and the rows of one step. */
async function goOn(deps: Deps, row: ImportRow, { perStep, mostMistakes }: Limits, signal: AbortSignal): Promise<void> {
  if (row.format === null) throw new Error('an import runs without its format');
  const found: Found[] = [];
  const rows = readRows(partsOf(deps, row), row.format.delimiter, (mistake) => {
    // Of a file without a single row nothing is stored before its end; one more than the most ends it.
    if (found.length <= mostMistakes) found.push({ ...mistake, takenIn: false });
  });
  let skipped = 0;
  let step: CsvRow[] = [];
  for await (const one of rows) {
    // Taken in before.
    if (skipped < row.rows) {
      skipped += 1;
      continue;
    }
    step.push(one);
    if (step.length < perStep) continue;
    if (!(await takeStep(deps, row, step, found, mostMistakes))) return;
    step = [];
    if (signal.aborted) return release(deps, row);
  }
  if (await takeStep(deps, row, step, found, mostMistakes)) await deps.db.withTenant(row.tenantId, (tx) => endImport(tx, row.id, 'done'));
}

function release({ db }: Pick<Deps, 'db'>, { tenantId, id, claim }: ImportRow): Promise<void> {
  return db.withTenant(tenantId, async (tx) => {
    await tx
      .update(imports)
      .set({ claim: null, claimedUntil: until(0) })
      .where(and(eq(imports.id, id), eq(imports.claim, claim ?? '')));
  });
}

async function* partsOf({ db }: Pick<Deps, 'db'>, { tenantId, id }: ImportRow): AsyncGenerator<Buffer> {
  for (let number = 0; ; number += 1) {
    const [part] = await db.withTenant(tenantId, (tx) =>
      tx
        .select({ data: importParts.data })
        .from(importParts)
        .where(and(eq(importParts.importId, id), eq(importParts.number, number))),
    );
    if (part === undefined) return;
    yield part.data;
  }
}

/** @returns false: it was cancelled, has too many mistakes, or another worker is at it */
async function takeStep(deps: Deps, row: ImportRow, step: readonly CsvRow[], found: Found[], mostMistakes: number): Promise<boolean> {
  const waiting = [...step];
  let takenIn = 0;
  const lane = async () => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
      const mistakes = await takeRow(deps, row, one);
      found.push(...mistakes);
      if (mistakes.every((mistake) => mistake.takenIn)) takenIn += 1;
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  const { tenantId, id, claim } = row;
  return deps.db.withTenant(tenantId, async (tx) => {
    const moved = await tx
      .update(imports)
      .set({
        rows: sql`rows + ${step.length}`,
        takenIn: sql`taken_in + ${takenIn}`,
        bytesDone: sql`greatest(bytes_done, ${step.at(-1)?.bytes ?? 0})`,
        fault: null,
        claimedUntil: until(claimedForMs),
      })
      .where(and(eq(imports.id, id), eq(imports.claim, claim ?? ''), eq(imports.state, 'running')))
      .returning({ id: imports.id });
    if (moved.length === 0) return false;
    const all = found.splice(0).toSorted((a, b) => a.line - b.line);
    const stored = all.length === 0 ? 0 : await tx.$count(importErrors, eq(importErrors.importId, id));
    const errors = all.slice(0, Math.max(0, mostMistakes - stored));
    if (errors.length > 0)
      await tx
        .insert(importErrors)
        .values(
          errors.map(({ line, reason, takenIn: taken }) => ({
            tenantId,
            id: uuidv7(),
            importId: id,
            line,
            reason: reason.slice(0, 500),
            takenIn: taken,
          })),
        )
        .onConflictDoNothing();
    if (stored + all.length <= mostMistakes) return true;
    await endImport(
      tx,
      id,
      'cancelled',
      `Something is wrong in more than ${mostMistakes} lines; the first are listed. Mend the file, and import it again.`,
    );
    return false;
  });
}

/** Take in one row. It is known by its import and line, so that it may be tried again. @returns what is wrong with it */
async function takeRow(deps: Deps, row: ImportRow, { line, fields }: CsvRow): Promise<Found[]> {
  const read = readRow(fields, row.format?.columns ?? [], row.source);
  if (read.kind === 'mistake') return [{ line, reason: read.reason, takenIn: false }];
  const made = await patiently(() => createLead(deps, row.tenantId, { ...read.lead, via: 'BULK' }, `import_${row.id}_${line}`));
  switch (made.kind) {
    case 'no_connection':
      throw new HeldUpError('No connection takes events of your own system: make one, rekindle connections create generic --name Leads.');
    case 'accepted':
    case 'busy':
      throw new HeldUpError('Too much waits for the database at present.');
    case 'unreadable':
      return [{ line, reason: reasonOf(made.fields) || made.reason, takenIn: false }];
    case 'created': {
      // That a form without ids has one lead per person is no mistake of a row.
      const notes = made.notes.filter(({ field }) => field !== 'data.lead.id');
      const about = notes.length === 0 ? [] : [{ line, reason: reasonOf(notes), takenIn: true }];
      const refusal = row.campaignId === null ? null : await enter(deps, row, row.campaignId, made.leadId);
      return refusal === null ? about : [...about, { line, reason: refusal, takenIn: true }];
    }
  }
}

const reasonOf = (notes: readonly { field: string; reason: string }[]): string =>
  notes.map(({ field, reason }) => `${field.replace(/^data\.(lead|contact)\./, '')} ${reason}`).join('; ');

/** Put the lead into the campaign of its import, once. @returns why it is not in it; null: it is */
async function enter(deps: Deps, { tenantId, requestedBy }: ImportRow, campaignId: string, subjectId: string): Promise<string | null> {
  const isIn = await deps.db.withTenant(tenantId, (tx) =>
    tx
      .select({ id: campaignLeads.subjectId })
      .from(campaignLeads)
      .where(and(eq(campaignLeads.campaignId, campaignId), eq(campaignLeads.subjectId, subjectId))),
  );
  if (isIn.length > 0) return null;
  const entered = await enterCampaign(deps, { tenantId, campaignId, subjectId, by: 'bulk', actor: requestedBy });
  switch (entered.kind) {
    case 'entered':
      return null;
    case 'full':
      return 'is not in the campaign: it has as many leads as it takes';
    case 'not_active':
    case 'unknown_campaign':
      return 'is not in the campaign: it is not active any more';
    case 'unknown_lead':
      return 'is not in the campaign: the lead is gone';
  }
}

/** A row may have to wait for others; a repeat is recognised. */
async function patiently(take: () => Promise<LeadCreated>): Promise<LeadCreated> {
  for (let attempt = 1; ; attempt += 1) {
    const made = await take();
    if ((made.kind !== 'busy' && made.kind !== 'accepted') || attempt === 8) return made;
    await pause(Math.min(5_000, 100 * 2 ** attempt));
  }
}
