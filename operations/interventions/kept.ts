import { createHash } from 'node:crypto';
import { and, eq, inArray, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { enrollments, type InterventionFigure } from '../../db/schema/index.ts';
import { type FigureRow, rowsOf, sameUntil } from '../../domain/interventions/figures.ts';
import type { InterventionBand } from '../../domain/risk/band-move.ts';
import { account } from '../../domain/subjects/account/index.ts';
import type { TenantSettings } from '../../domain/tenant-settings.ts';
import { classifyFailure } from '../classify-failure.ts';
import type { Deps } from '../deps.ts';
import { type InterventionView, interventionsOf, type JudgedBy, judgedNow } from './interventions.ts';

// What interventions count for is kept, one intervention at a time. Source: docs/adr/0126-what-interventions-count-for-is-kept.md

/** Interventions of so many are judged in one go. */
const atOnce = 500;

/** What interventions of a store count for from a day on. */
export interface KeptFigures {
  rows: FigureRow[];
  /** From the beginning of an intervention to its first action, milliseconds; null: none has one. */
  firstActionMs: { p50: number; p99: number } | null;
}

interface SumsRow extends Record<string, number | string> {
  band: InterventionBand;
  channel: string;
  currency: string;
}

/** The columns of `intervention_sums`, by the field of a row that each holds. */
const columns = {
  ...{ begun: 'begun', heldOut: 'held_out', complete: 'complete', successes: 'successes', actions: 'actions', pending: 'pending' },
  ...{ delivered: 'delivered', engaged: 'engaged', converted: 'converted', failed: 'failed', ignored: 'ignored', escalated: 'escalated' },
  ...{ unknownMessage: 'unknown_message', unknownPeople: 'unknown_people', unknownModel: 'unknown_model' },
} as const satisfies Record<Exclude<keyof FigureRow, 'band' | 'channel' | 'currency' | 'cost' | 'expected' | 'attributed'>, string>;
const counts = Object.values(columns).map((column) => sql.raw(column));
const micros = (['cost', 'expected', 'attributed'] as const).map((column) => sql.raw(column));
const list = (parts: Parameters<typeof sql.join>[0]) => sql.join(parts, sql`, `);

/**
 * What the interventions count for that began on a UTC day or later: sums, without those that may have changed since, which are judged anew.
 * One statement parts the two, so that each intervention counts once, whatever is committed meanwhile.
 */
export async function readKeptFigures(tx: Tx, tenantId: string, by: JudgedBy, fromMs: number): Promise<KeptFigures> {
  const from = new Date(fromMs).toISOString();
  const { rows } = await tx.execute<{ fresh: string[]; sums: SumsRow[] }>(sql`
    with stale as materialized (
      select s.id from ${staleOf(tenantId, by)} s(id)),
    summed as (
      select band, channel, currency, ${list([...counts, ...micros])} from intervention_sums where day >= (${from}::timestamptz at time zone 'UTC')::date
      union all
      select r.band, coalesce(r.channel, ''), coalesce(r.currency, ''), ${list([...counts, ...micros].map((column) => sql`-coalesce(r.${column}, 0)`))}
      from stale s join intervention_figures f on f.account_id = s.id cross join lateral jsonb_populate_recordset(null::intervention_sums, f.figures) r
      where f.began_at >= ${from}::timestamptz)
    select
      (select coalesce(array_agg(e.id), '{}') from stale s join enrollments e on e.subject_id = s.id
       where e.subject_kind = 'account' and e.enrolled_at >= ${from}::timestamptz) as fresh,
      (select coalesce(jsonb_agg(to_jsonb(t)), '[]')
       from (select band, channel, currency, ${list(counts.map((column) => sql`sum(${column})::float8 as ${column}`))}, ${list(micros.map((column) => sql`trim_scale(sum(${column}))::text as ${column}`))}
             from summed group by 1, 2, 3) t) as sums`);
  const [kept = { fresh: [], sums: [] }] = rows;
  const fresh: InterventionView[] = [];
  for (let n = 0; n < kept.fresh.length; n += atOnce) fresh.push(...(await interventionsOf(tx, by, kept.fresh.slice(n, n + atOnce))));
  return {
    rows: [...kept.sums.map(rowOf), ...fresh.flatMap(rowsOf)],
    firstActionMs: await readFirstActions(tx, { tenantId, by, fromMs }, fresh),
  };
}

async function readFirstActions(
  tx: Tx,
  { tenantId, by, fromMs }: { tenantId: string; by: JudgedBy; fromMs: number },
  fresh: readonly InterventionView[],
): Promise<KeptFigures['firstActionMs']> {
  const { rows } = await tx.execute<{ quantiles: number[] | null }>(sql`
    with stale as materialized (select s.id from ${staleOf(tenantId, by)} s(id))
    select percentile_disc(array[0.5, 0.99]) within group (order by a.ms) as quantiles
    from (
      select f.first_action_ms::float8 as ms from intervention_figures f
      where f.began_at >= ${new Date(fromMs).toISOString()}::timestamptz and f.first_action_ms is not null and not exists (select from stale s where s.id = f.account_id)
      union all
      select unnest(${sql.param(fresh.flatMap((one) => firstActionMs(one) ?? []))}::float8[])) a`);
  const [p50, p99] = rows[0]?.quantiles ?? [];
  return p50 === undefined || p99 === undefined ? null : { p50, p99 };
}

const staleOf = (tenantId: string, { settings, nowMs }: JudgedBy) =>
  sql`stale_interventions(${tenantId}::uuid, ${basisOf(settings)}, ${new Date(nowMs).toISOString()}::timestamptz)`;

function rowOf(row: SumsRow): FigureRow {
  const count = (field: keyof typeof columns) => Number(row[columns[field]]);
  return {
    ...{
      band: row.band,
      channel: row.channel,
      currency: row.currency,
      begun: count('begun'),
      heldOut: count('heldOut'),
      complete: count('complete'),
    },
    ...{
      successes: count('successes'),
      actions: count('actions'),
      pending: count('pending'),
      delivered: count('delivered'),
      engaged: count('engaged'),
    },
    ...{ converted: count('converted'), failed: count('failed'), ignored: count('ignored'), escalated: count('escalated') },
    ...{ unknownMessage: count('unknownMessage'), unknownPeople: count('unknownPeople'), unknownModel: count('unknownModel') },
    ...{ cost: BigInt(row['cost'] ?? 0), expected: BigInt(row['expected'] ?? 0), attributed: BigInt(row['attributed'] ?? 0) },
  };
}

/** A row as it is stored: what is 0 or empty is left out. */
const stored = ({ band, channel, currency, cost, expected, attributed, ...own }: FigureRow): InterventionFigure =>
  Object.fromEntries(
    [
      ...([
        ['band', band],
        ['channel', channel],
        ['currency', currency],
      ] as const),
      ...Object.entries(own).map(([field, n]) => [columns[field as keyof typeof columns], n] as const),
      ...Object.entries({ cost, expected, attributed }).map(([field, n]) => [field, n === 0n ? 0 : n.toString()] as const),
    ].filter(([, value]) => value !== 0 && value !== ''),
  );

function firstActionMs({ actions, beganAtMs }: InterventionView): number | null {
  const done = actions.flatMap(({ atMs }) => (atMs === null ? [] : [atMs]));
  return done.length === 0 ? null : Math.max(0, Math.min(...done) - beganAtMs);
}

/** By which settings interventions are judged: with others, all of them may count for something else. */
const basisOf = ({ interventionWindowDays, interventionCosts }: TenantSettings): string =>
  createHash('sha256')
    .update(JSON.stringify([interventionWindowDays, interventionCosts]))
    .digest('base64url');

/**
 * Judge the interventions anew that may count for something else by now, some accounts of each store. Figures are exact without it, only slower to read. A store that
 * fails holds up no other.
 * @returns whether there is more to do right away
 */
export async function foldInterventions(deps: Pick<Deps, 'db' | 'clock' | 'log'>, accounts = 200): Promise<boolean> {
  let more = false;
  for (const tenantId of await deps.db.storesWithStaleInterventions(deps.clock.nowMs())) {
    try {
      more = (await deps.db.withTenant(tenantId, (tx) => foldStore(tx, deps, tenantId, accounts))) || more;
    } catch (error) {
      if (classifyFailure(error) !== 'unexpected') throw error;
      deps.log.error({ tenantId, err: error }, 'what the interventions of a store count for could not be kept');
    }
  }
  return more;
}

async function foldStore(tx: Tx, deps: Pick<Deps, 'clock'>, tenantId: string, limit: number): Promise<boolean> {
  const { rows: locked } = await tx.execute<{ mine: boolean }>(
    sql`select pg_try_advisory_xact_lock(hashtextextended(${`rekindle.interventions ${tenantId}`}, 0)) as mine`,
  );
  if (locked[0]?.mine !== true) return false;
  // Judged by these, not by what they are a statement later, so that what is stored is what its basis says.
  const by = await judgedNow(tx, deps, tenantId);
  const { nowMs } = by;
  const basis = basisOf(by.settings);
  // What is committed after this is marked again, and judged again: what is read below is no older.
  const { rows: marks } = await tx.execute<{ seq: string; account_id: string | null }>(
    sql`select seq, account_id from intervention_marks order by seq limit ${limit}`,
  );
  const { rows: others } = await tx.execute<{ account_id: string }>(sql`
    select f.account_id from (
      (select account_id from intervention_figures where changes_at <= ${new Date(nowMs).toISOString()}::timestamptz order by changes_at limit ${limit})
      union all
      (select account_id from intervention_figures where basis < ${basis} or basis > ${basis} limit ${limit})) f limit ${limit}`);
  const isMore = marks.length === limit || others.length === limit;
  const found = [...new Set([...marks, ...others].flatMap(({ account_id: id }) => id ?? []))];
  // The mark of a store is done when nothing is left that was judged by other settings.
  const done = marks.filter(({ account_id: id }) => id !== null || others.length < limit).map(({ seq }) => seq);
  const runs =
    found.length === 0
      ? []
      : await tx
          .select({ id: enrollments.id })
          .from(enrollments)
          .where(and(inArray(enrollments.subjectId, found), eq(enrollments.subjectKind, account.kind)));
  const views: InterventionView[] = [];
  for (let n = 0; n < runs.length; n += atOnce) {
    const some = runs.slice(n, n + atOnce).map(({ id }) => id);
    views.push(...(await interventionsOf(tx, by, some)));
  }
  const brought = views.map((one) => {
    const until = sameUntil(one.actions, { windowMs: one.windowMs, nowMs });
    return {
      ...{ enrollment_id: one.id, account_id: one.accountId, began_at: new Date(one.beganAtMs).toISOString() },
      ...{ changes_at: until === null ? null : new Date(until).toISOString(), first_action_ms: firstActionMs(one) },
      figures: rowsOf(one).map(stored),
    };
  });
  await tx.execute(
    sql`select put_interventions(${sql.param(found)}::uuid[], ${sql.param(done)}::bigint[], ${basis}, ${JSON.stringify(brought)}::jsonb)`,
  );
  return isMore;
}
