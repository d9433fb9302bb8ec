import pg from 'pg';
import { z } from 'zod';

/** How one statement was really carried out, with its real parameters. */
export interface ExplainedStatement {
  text: string;
  /** Rows that its scans looked at, kept or not. */
  rowsRead: number;
  /** 8 KiB pages that it touched. */
  pages: number;
  ms: number;
  /** Tables that it read from one end to the other, and how many rows those scans looked at. */
  seqScans: { table: string; rows: number }[];
}

export interface PlanRecorder {
  /** Take and clear the statements seen so far, those inside functions and foreign keys' checks included */
  take(): ExplainedStatement[];
  stop(): Promise<void>;
}

const scan = z.object({
  'Node Type': z.string(),
  'Relation Name': z.string().optional(),
  'Actual Rows': z.number().default(0),
  'Actual Loops': z.number().default(0),
  'Rows Removed by Filter': z.number().default(0),
  'Rows Removed by Index Recheck': z.number().default(0),
  'Shared Hit Blocks': z.number().default(0),
  'Shared Read Blocks': z.number().default(0),
  get Plans() {
    return z.array(scan).default([]);
  },
});
const explained = z.object({ 'Query Text': z.string(), Plan: scan });
type Scan = z.output<typeof scan>;

/**
 * Have Postgres explain every statement of every new connection to a database as it runs, by its own module `auto_explain`, and collect its notices
 * in this process. Slows the database down: not for figures.
 * @param owner - a superuser's connection; the database is the one it is connected to
 */
export async function recordPlans(owner: pg.Client): Promise<PlanRecorder> {
  const settings = {
    'auto_explain.log_min_duration': '0',
    'auto_explain.log_analyze': 'on',
    'auto_explain.log_buffers': 'on',
    // A clock read for every row costs more than the row.
    'auto_explain.log_timing': 'off',
    'auto_explain.log_format': 'json',
    'auto_explain.log_level': 'notice',
    'auto_explain.log_nested_statements': 'on',
  };
  const alter = `alter database ${owner.escapeIdentifier(owner.database ?? '')}`;
  await owner.query(`load 'auto_explain'`);
  for (const [name, value] of Object.entries(settings)) await owner.query(`${alter} set ${name} = '${value}'`);
  await owner.query(`${alter} set session_preload_libraries = 'auto_explain'`);

  let seen: ExplainedStatement[] = [];
  const { emit }: { emit: (...args: never[]) => unknown } = pg.Client.prototype;
  function listening(this: pg.Client, ...args: never[]): unknown {
    const [name, notice]: unknown[] = args;
    if (name === 'notice' && notice instanceof Object && 'message' in notice) {
      const statement = read(String(notice.message));
      if (statement !== null) seen.push(statement);
    }
    return Reflect.apply(emit, this, args);
  }
  const install = (value: unknown) => Object.defineProperty(pg.Client.prototype, 'emit', { configurable: true, writable: true, value });
  install(listening);
  return {
    take() {
      const taken = seen;
      seen = [];
      return taken;
    },
    async stop() {
      install(emit);
      await owner.query(`${alter} reset all`);
    },
  };
}

/** `duration: 0.123 ms  plan:\n{ … }`. @returns null for any other notice */
function read(message: string): ExplainedStatement | null {
  const found = /^duration: ([\d.]+) ms\s+plan:\s*(\{[\s\S]*)$/.exec(message);
  if (found?.[1] === undefined || found[2] === undefined) return null;
  const { 'Query Text': text, Plan: plan } = explained.parse(JSON.parse(found[2]));
  const scans = scansOf(plan);
  const looked = (s: Scan) => s['Actual Loops'] * (s['Actual Rows'] + s['Rows Removed by Filter'] + s['Rows Removed by Index Recheck']);
  return {
    text,
    rowsRead: Math.round(scans.reduce((sum, s) => sum + looked(s), 0)),
    pages: plan['Shared Hit Blocks'] + plan['Shared Read Blocks'],
    ms: Number(found[1]),
    // A branch that was never taken has read nothing.
    seqScans: scans.flatMap((s) =>
      s['Node Type'] === 'Seq Scan' && s['Actual Loops'] > 0 ? [{ table: s['Relation Name'] ?? '', rows: looked(s) }] : [],
    ),
  };
}

/** The nodes that read a table; those that write one name it too. */
function scansOf(node: Scan): Scan[] {
  const own = node['Node Type'].includes('Scan') && node['Relation Name'] !== undefined ? [node] : [];
  return [...own, ...node.Plans.flatMap(scansOf)];
}

/** Tables that hold more than a few rows, partitions included: reading one of them from end to end is a fault. */
export async function largeTables(owner: pg.Client, moreThan: number): Promise<Set<string>> {
  const { rows } = await owner.query<{ relname: string }>(
    `select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace and reltuples > $1`,
    [moreThan],
  );
  return new Set(rows.map((row) => row.relname));
}

/**
 * Why a statement of a hot path is not bounded; null: it is. What it reads of a table that is not large does not count: Postgres reads such a table
 * whole as long as that is quicker than its index, for instance the partition of a month that has just begun.
 */
export function offence(statement: ExplainedStatement, large: ReadonlySet<string>, mostRows: number): string | null {
  const whole = statement.seqScans.filter(({ table }) => large.has(table));
  if (whole.length > 0) return `reads all of ${whole.map(({ table }) => table).join(', ')}`;
  const rows = statement.rowsRead - Math.round(statement.seqScans.reduce((sum, one) => sum + one.rows, 0));
  return rows > mostRows ? `reads ${rows} rows` : null;
}
