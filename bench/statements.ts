import type pg from 'pg';
import { loadPresets, publishPresets } from '../operations/publish-presets.ts';
import { nullSender } from './five-mails.ts';
import { type HotAction, hotActions } from './hot-actions.ts';
import { type Measured, median } from './measure.ts';
import { recordStatements, type StatementRecorder } from './record-statements.ts';
import { openDeps, openTenant } from './shop.ts';
import { asOwner, type BenchStack } from './stack.ts';

/** What each hot path asks of Postgres: statements, round trips, transactions, and the write-ahead log that it causes. */
export async function measureStatements(stack: BenchStack, runs: number): Promise<Measured> {
  const deps = openDeps(stack.databaseUrl, stack.masterKey, { defaultSenders: [nullSender] });
  const slug = 'bench-statements';
  const tenant = { ...(await openTenant(deps, slug)), slug };
  await publishPresets(deps, await loadPresets());
  const recorder = recordStatements();
  const rows = await asOwner(stack.databaseUrl, async (owner) => {
    const counted: (string | number)[][] = [];
    for (const action of hotActions({ deps, tenant })) {
      // As autovacuum does, which needs longer than this.
      await owner.query('analyze');
      counted.push([action.name, ...(await count(action, owner, recorder, runs))]);
    }
    return counted;
  });
  recorder.stop();
  await deps.db.close();
  return {
    figures: [],
    tables: [
      {
        title: `Postgres, per action (medians of ${runs})`,
        columns: ['Action', 'Statements', 'Round trips', 'Transactions', 'WAL bytes', 'ms'],
        rows,
      },
    ],
    notes: ['Temporal’s calls are not counted here; a transaction is its BEGIN, and what stands alone is none.'],
  };
}

async function count(action: HotAction, owner: pg.Client, recorder: StatementRecorder, runs: number): Promise<number[]> {
  const seen: number[][] = [];
  for (let i = 0; i <= runs; i++) {
    const act = await action.prepare();
    const before = await walPosition(owner);
    recorder.take();
    const fromMs = performance.now();
    await act();
    const ms = performance.now() - fromMs;
    const { statements, roundTrips, transactions } = recorder.take();
    // The first one warms caches up.
    if (i > 0) seen.push([statements, roundTrips, transactions, (await walPosition(owner)) - before, ms]);
  }
  return [0, 1, 2, 3, 4].map((column) => median(seen.map((row) => row[column] ?? 0)));
}

/** How much was written since the server began, in bytes. */
export async function walPosition(owner: pg.Client): Promise<number> {
  const { rows } = await owner.query<{ bytes: string }>(`select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') as bytes`);
  return Number(rows[0]?.bytes ?? 0);
}
