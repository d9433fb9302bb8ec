import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { recoveryWorkflowId } from '../workflows/contract.ts';
import { enrollmentsOf } from './enrollments.ts';
import { costOf } from './history.ts';
import { flood, known, type Measured, median } from './measure.ts';
import { allEnded, openRecovery } from './recovery.ts';
import { accept, cartUpdated, sign } from './shop.ts';
import { asOwner, type BenchStack } from './stack.ts';
import { walPosition } from './statements.ts';

const steps = 5;

/** What one enrollment of five emails leaves behind: bytes in Postgres with all indexes, in its log, and in Temporal's history. */
export async function measureSizes(stack: BenchStack, count: number): Promise<Measured> {
  const bench = await openRecovery(stack);
  const tenant = await bench.tenant('bench-sizes', 36_000);
  const warmUp = await go(20);
  return asOwner(stack.databaseUrl, async (owner) => {
    const before = await tablesNow(owner);
    const walBefore = await walPosition(owner);
    const carts = await go(count, warmUp.length);
    const wal = ((await walPosition(owner)) - walBefore) / count;
    const grown = grownBy(before, await tablesNow(owner), count);
    const begun = await enrollmentsOf(bench.deps, tenant.tenantId, carts.slice(0, 50));
    const costs = [];
    for (const { id, sequence } of begun) {
      const handle = bench.client.workflow.getHandle(recoveryWorkflowId(tenant.slug, sequence, id));
      await handle.result();
      costs.push(await costOf(handle));
    }
    await bench.close();
    const bytes = grown.reduce((sum, table) => sum + table.bytes, 0);
    return {
      figures: [
        known('postgres_bytes_per_enrollment', bytes, 'B'),
        known('wal_bytes_per_enrollment', wal, 'B'),
        known('temporal_history_bytes_per_enrollment', median(costs.map((c) => c.bytes)), 'B'),
        known('temporal_events_per_enrollment', median(costs.map((c) => c.events)), 'events'),
      ],
      tables: [
        {
          title: `Per enrollment of ${steps} emails, without a purchase`,
          columns: ['Table', 'Rows', 'Bytes with indexes'],
          rows: grown.map(({ name, rows, bytes: own }) => [name, rows, own]),
        },
      ],
      notes: [`${count} enrollments; space that was free in a page before is not counted, dead rows that a vacuum would free are`],
    };
  });

  async function go(number: number, endedBefore = 0): Promise<string[]> {
    const carts = Array.from({ length: number }, () => randomUUID());
    await flood(number, 20, (i) => accept(bench.deps, sign(tenant, cartUpdated(carts[i] ?? ''))));
    await allEnded(bench.deps, tenant.tenantId, endedBefore + number);
    return carts;
  }
}

interface TableSize {
  name: string;
  rows: number;
  bytes: number;
}

/** Partitions count for their table. */
async function tablesNow(owner: pg.Client): Promise<TableSize[]> {
  const { rows: tables } = await owner.query<{ name: string; bytes: string }>(
    `select coalesce(p.relname, c.relname) as name, sum(pg_total_relation_size(c.oid)) as bytes from pg_class c
     left join pg_inherits i on i.inhrelid = c.oid left join pg_class p on p.oid = i.inhparent
     where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace group by 1 order by 1`,
  );
  const sizes: TableSize[] = [];
  for (const { name, bytes } of tables) {
    const { rows } = await owner.query<{ n: string }>(`select count(*) as n from ${owner.escapeIdentifier(name)}`);
    sizes.push({ name, rows: Number(rows[0]?.n ?? 0), bytes: Number(bytes) });
  }
  return sizes;
}

function grownBy(before: readonly TableSize[], after: readonly TableSize[], count: number): TableSize[] {
  return after
    .map(({ name, rows, bytes }) => {
      const old = before.find((table) => table.name === name);
      return { name, rows: (rows - (old?.rows ?? 0)) / count, bytes: (bytes - (old?.bytes ?? 0)) / count };
    })
    .filter((table) => table.rows > 0 || table.bytes > 0);
}
