import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { beginImport, readImport } from '../operations/imports/imports.ts';
import { createImportWorker } from '../operations/imports/take-in-rows.ts';
import { known, type Measured, median } from './measure.ts';
import { openDeps, openTenant } from './shop.ts';
import { asOwner, type BenchStack } from './stack.ts';

const rows = 5_000;

/**
 * Rows of a file of leads per second, from the stored file to the leads, by one worker. Beside it bare `COPY` of the same file into a table without
 * keys, which checks nothing, merges nobody and starts nothing: no floor to come near, but the cost of having the bytes in Postgres.
 */
export async function measureImport(stack: BenchStack, rounds: number): Promise<Measured> {
  const deps = openDeps(stack.databaseUrl, stack.masterKey);
  const rates: number[] = [];
  const copies: number[] = [];
  try {
    const { tenantId } = await openTenant(deps, 'bench-import');
    for (let round = 0; round < rounds; round++) {
      const lines = Array.from(
        { length: rows },
        (_row, n) => `r${round}-${n}@example.com,+4366412${String(round * rows + n).padStart(6, '0')},Ada,r${round}-${n}`,
      );
      const file = Buffer.from(`email,phone,firstName,externalId\n${lines.join('\n')}\n`);
      copies.push(rows / (await copied(stack, file)));
      const begun = await beginImport(deps, { tenantId, campaignId: null, source: 'BULK', columns: {}, actor: 'bench' }, Readable.from([file]));
      if (begun.kind !== 'begun') throw new Error(`the import did not begin: ${begun.kind}`);
      const worker = createImportWorker(deps);
      const startedMs = performance.now();
      await worker.pass();
      let state = 'running';
      while (state === 'running') {
        await setTimeout(20);
        state = (await readImport(deps, tenantId, begun.row.id))?.state ?? 'gone';
      }
      const end = await readImport(deps, tenantId, begun.row.id);
      await worker.stop();
      if (end?.takenIn !== rows) throw new Error(`${end?.takenIn ?? 0} of ${rows} rows were taken in`);
      rates.push((rows * 1_000) / (performance.now() - startedMs));
    }
  } finally {
    await deps.db.close();
  }
  return {
    figures: [known('import_rows', median(rates), 'rows/s', median(copies))],
    notes: [`${rounds} files of ${rows} new leads each, one worker; beside bare COPY of the same rows into a table without keys`],
  };
}

/** As the owner, who is a superuser there: the server reads the file itself. @returns seconds */
async function copied(stack: BenchStack, file: Buffer): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'rekindle-bench-'));
  try {
    // Postgres may run as somebody else.
    await chmod(folder, 0o755);
    const path = join(folder, 'leads.csv');
    await writeFile(path, file);
    return await asOwner(stack.databaseUrl, async (owner) => {
      await owner.query('create table if not exists bench_copied (email text, phone text, first_name text, external_id text)');
      const startedMs = performance.now();
      await owner.query(`copy bench_copied from '${path}' (format csv, header)`);
      return (performance.now() - startedMs) / 1_000;
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}
