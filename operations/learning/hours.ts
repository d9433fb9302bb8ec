import { asc, eq, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { conversionRules, sweeps } from '../../db/schema/index.ts';
import { type HourRule, hourRules } from '../../domain/learning/hours.ts';
import { grouped } from '../../domain/statistics/grouped.ts';
import type { Interval } from '../../domain/statistics/interval.ts';
import { wilsonInterval } from '../../domain/statistics/proportions.ts';
import { classifyFailure } from '../classify-failure.ts';
import type { Deps } from '../deps.ts';

type HoursDeps = Pick<Deps, 'db' | 'clock' | 'log'>;

/** Messages of so many days are counted, those of the last week not yet: an order counts for a message until a week after it. */
const lookBackDays = 180;
const outcomeDays = 7;
const everyHours = 24;

/** Compute the hours of every store whose turn it is, once a night. One that fails holds up no other. */
export async function hoursPass(deps: HoursDeps): Promise<void> {
  for (const { id: tenantId } of await deps.db.listTenants()) {
    try {
      await refreshHours(deps, tenantId, { unlessYoungerHours: everyHours - 1 });
    } catch (error) {
      if (classifyFailure(error) !== 'unexpected') throw error;
      deps.log.error({ tenantId, err: error }, 'the hours of a store could not be learned');
    }
  }
}

/**
 * Count a store’s messages by channel and local hour of the week, and decide which hours are preferred. Several processes at once do it one after another, and
 * the later ones find that it was done.
 * @param unlessYoungerHours - nothing is done where the rules are younger; 0: always
 * @returns whether it was done
 */
export function refreshHours(
  { db, clock }: Pick<Deps, 'db' | 'clock'>,
  tenantId: string,
  { unlessYoungerHours }: { unlessYoungerHours: number },
): Promise<boolean> {
  return db.withTenant(tenantId, async (tx) => {
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`${tenantId} hours`}, 0))`);
    const nowMs = clock.nowMs();
    const [last] = await tx.select().from(sweeps).where(eq(sweeps.kind, 'hours'));
    if (last !== undefined && nowMs - last.sweptAt < unlessYoungerHours * 3_600_000) return false;
    const before = await tx.select().from(conversionRules);
    const cells = await countCells(tx, nowMs);
    const channels = new Set([
      ...cells.map(({ channel }) => channel),
      ...before.filter(({ preferredAt }) => preferredAt !== null).map(({ channel }) => channel),
    ]);
    const rules = [...channels].flatMap((channel) => {
      const preferred = before.flatMap(({ channel: of, day, hour, preferredAt }) =>
        of === channel && preferredAt !== null ? [{ day, hour, movedAtMs: preferredAt }] : [],
      );
      const own = cells.filter((cell) => cell.channel === channel);
      return hourRules(own, preferred, nowMs).map((rule) => ({ channel, ...rule }));
    });
    await tx.delete(conversionRules);
    if (rules.length > 0)
      await tx.insert(conversionRules).values(
        rules.map(({ channel, day, hour, people, converted, rate, expected, chanceBetter, preferredAtMs }) => ({
          ...{ tenantId, channel, day, hour, sends: people, conversions: converted, rate, expected, chanceBetter },
          ...{ preferredAt: preferredAtMs, refreshedAt: nowMs },
        })),
      );
    const target = [sweeps.tenantId, sweeps.kind];
    await tx
      .insert(sweeps)
      .values({ tenantId, kind: 'hours', sweptAt: nowMs })
      .onConflictDoUpdate({ target, set: { sweptAt: nowMs } });
    return true;
  });
}

interface Cell {
  channel: string;
  day: number;
  hour: number;
  people: number;
  converted: number;
}

async function countCells(tx: Tx, nowMs: number): Promise<Cell[]> {
  const at = (days: number) => sql`to_timestamp(${nowMs / 1_000 - days * 86_400})`;
  const { rows } = await tx.execute<Cell & Record<string, unknown>>(sql`
    with credited as (
      -- By the model of the last message: each order counts for one message.
      select a.message_id, min(o.placed_at) as placed_at
      from attribution_credits a join conversions o on o.tenant_id = a.tenant_id and o.id = a.conversion_id
      where a.model = 'last' and a.order_micros > 0 and a.day >= ${at(lookBackDays + 1)} and o.no_revenue is null and o.reversed_at is null
      group by 1)
    select m.channel, (m.local_slot / 24)::int as day, (m.local_slot % 24)::int as hour, count(*)::int as people,
      (count(*) filter (where c.placed_at <= m.settled_at + make_interval(days => ${outcomeDays}::int)))::int as converted
    from messages m left join credited c on c.message_id = m.id
    where m.state = 'sent' and m.local_slot is not null and m.channel is not null
      and m.settled_at >= ${at(lookBackDays)} and m.settled_at < ${at(outcomeDays)}
    group by 1, 2, 3`);
  return rows;
}

/** The map of a channel, as it was computed last. */
export interface LearnedHours {
  channel: string;
  refreshedAtMs: number | null;
  sends: number;
  conversions: number;
  rules: (HourRule & { interval: Interval | null })[];
}

/** By channel; a channel without rules was not sent on, or too little for anything. */
export async function readLearnedHours(deps: Pick<Deps, 'db'>, tenantId: string): Promise<LearnedHours[]> {
  const rows = await deps.db.withTenant(tenantId, (tx) =>
    tx.select().from(conversionRules).orderBy(asc(conversionRules.channel), asc(conversionRules.day), asc(conversionRules.hour)),
  );
  return [...grouped(rows, ({ channel }) => channel)].map(([channel, own]) => ({
    channel,
    refreshedAtMs: own[0]?.refreshedAt ?? null,
    sends: own.reduce((sum, { sends }) => sum + sends, 0),
    conversions: own.reduce((sum, { conversions }) => sum + conversions, 0),
    rules: own.map(({ day, hour, sends, conversions, rate, expected, chanceBetter, preferredAt }) => ({
      ...{ day, hour, people: sends, converted: conversions, rate, expected, chanceBetter, preferredAtMs: preferredAt },
      interval: wilsonInterval(conversions, sends),
    })),
  }));
}
