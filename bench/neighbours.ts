import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { beginImport, readImport } from '../operations/imports/imports.ts';
import { loadPresets } from '../operations/publish-presets.ts';
import { publishPreset } from '../operations/publish-sequence.ts';
import { known, type Measured } from './measure.ts';
import type { BenchOptions } from './options.ts';
import { openRecovery, type BenchTenant, type RecoveryBench } from './recovery.ts';
import { accept, cartUpdated, openTenant, sign } from './shop.ts';
import type { BenchStack } from './stack.ts';

/** An hour of the plan in a second: a cart's three emails after 2, 6 and 10 s. */
const timeScale = 3_600;
const steps = 3;
const perSecond = 3;
const aloneMs = 20_000;

/**
 * How late the steps of one store leave while another store imports leads, each of which begins a sequence with a message at once; beside the same store
 * with the machine to itself. One worker does all of it.
 */
export async function measureNeighbours(stack: BenchStack, { rows, say }: Pick<BenchOptions, 'rows' | 'say'>): Promise<Measured> {
  const bench = await openRecovery(stack);
  try {
    const quiet = await bench.tenant('bench-neighbour', timeScale, steps);
    const busy = await openTenant(bench.deps, 'bench-importer');
    for (const preset of await loadPresets())
      if (preset.definition.sequence === 'lead-nurture') await publishPreset(bench.deps, busy.tenantId, preset);
    // The first ones load code and fill caches.
    await latenessDuring(bench, quiet, () => setTimeout(5_000));
    const alone = await latenessDuring(bench, quiet, () => setTimeout(aloneMs));
    let imported = 0;
    let sent = 0;
    const fromMs = performance.now();
    const beside = await latenessDuring(bench, quiet, async () => {
      await runImport(bench, busy.tenantId, rows);
      imported = performance.now() - fromMs;
      say(`neighbours: ${rows} leads were taken in`);
      // What they began goes on.
      while ((sent = await accepted(bench, busy.tenantId)) < rows && performance.now() - fromMs < 8 * 60_000) await setTimeout(500);
    });
    const left = performance.now() - fromMs;
    return {
      figures: [known('imported_leads', (rows * 1_000) / imported, 'rows/s'), known('messages_of_the_import', (sent * 1_000) / left, 'messages/s')],
      latencies: [{ name: 'late_beside_import', valuesMs: beside, floorMs: alone }],
      notes: [
        `late_beside_import: ${perSecond} carts of ${steps} emails a second in one store, while another imports ${rows} leads and ${sent} of them are written to; beside the same store alone`,
      ],
    };
  } finally {
    await bench.close();
  }
}

/** Leave carts until `work` is over. @returns how late after its due time each of their emails was claimed, in ms */
async function latenessDuring({ deps }: RecoveryBench, tenant: BenchTenant, work: () => Promise<void>): Promise<number[]> {
  const since = new Date();
  let over = false;
  const working = work().finally(() => (over = true));
  while (!over) {
    await accept(deps, sign(tenant, cartUpdated(randomUUID())));
    await setTimeout(1_000 / perSecond);
  }
  await working;
  const { rows } = await deps.db.withTenant(tenant.tenantId, (tx) =>
    tx.execute<{ late: number }>(
      sql`select greatest(0, extract(epoch from claimed_at - due_at) * 1000)::float8 as late from messages where due_at >= ${since.toISOString()} and claimed_at is not null`,
    ),
  );
  if (rows.length === 0) throw new Error('no email left meanwhile: nothing was measured');
  return rows.map(({ late }) => late);
}

async function runImport({ deps }: RecoveryBench, tenantId: string, rows: number): Promise<void> {
  const lines = Array.from({ length: rows }, (_row, n) => `neighbour-${n}@example.com,Ada,n-${n}`);
  const file = Buffer.from(`email,firstName,externalId\n${lines.join('\n')}\n`);
  const begun = await beginImport(deps, { tenantId, campaignId: null, source: 'BULK', columns: {}, actor: 'bench' }, Readable.from([file]));
  if (begun.kind !== 'begun') throw new Error(`the import did not begin: ${begun.kind}`);
  for (;;) {
    const read = await readImport(deps, tenantId, begun.row.id);
    if (read?.state === 'done') return;
    if (read === null || read.state !== 'running') throw new Error(`the import ended as ${read?.state ?? 'gone'}`);
    await setTimeout(200);
  }
}

async function accepted({ deps }: RecoveryBench, tenantId: string): Promise<number> {
  const { rows } = await deps.db.withTenant(tenantId, (tx) =>
    tx.execute<{ n: number }>(sql`select count(distinct enrollment_id)::int as n from messages where claimed_at is not null`),
  );
  return rows[0]?.n ?? 0;
}
