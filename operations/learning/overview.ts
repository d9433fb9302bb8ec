import { sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { channelInsight, delayInsight, dropOffInsight, type Insight, wordInsights } from '../../domain/learning/insights.ts';
import { leaderboard, type Placed } from '../../domain/learning/leaderboard.ts';
import type { Interval } from '../../domain/statistics/interval.ts';
import { wilsonInterval } from '../../domain/statistics/proportions.ts';
import type { Deps } from '../deps.ts';
import { readDelays } from './delays.ts';
import { readDropOffs } from './drop-offs.ts';
import { readPhrases } from './phrases.ts';
import { channelsOfTests } from './tested-arms.ts';

/** What was begun since, from what it is about to its revenue. Each stage is counted among those of the first. */
export interface Funnel {
  /** Carts, leads or whatever else sequences are about that were first seen since. */
  leads: number;
  contacted: number;
  /** Clicked, replied or answered a call. */
  responded: number;
  /** Contacted, and ordered. */
  converted: number;
  revenue: { currency: string; netMinor: number }[];
}

export interface LearningOverview {
  sinceMs: number;
  /** Enrollments that were not held out, and those of them with an order that stands. */
  conversions: { enrolled: number; converted: number; rate: number | null; interval: Interval | null };
  /** Of the orders that are credited to these enrollments, net, by currency. */
  revenue: { currency: string; netMinor: number }[];
  /** The best first; a conversion counts for the message that it came behind. */
  channels: Placed[];
  funnel: Funnel;
  insights: Insight[];
}

/** What the store’s results teach, on one page. @param sinceMs - epoch milliseconds */
export async function readLearning(deps: Pick<Deps, 'db'>, tenantId: string, sinceMs: number): Promise<LearningOverview> {
  const read = await deps.db.withTenant(tenantId, async (tx) => {
    const [conversions, channels, funnel, tested] = [
      await readConversions(tx, sinceMs),
      await readChannels(tx, sinceMs),
      await readFunnel(tx, sinceMs),
      await channelsOfTests(tx),
    ];
    return { conversions, channels, funnel, tested };
  });
  const insights: Insight[] = [];
  for (const channel of read.tested) insights.push(...wordInsights(channel, await readPhrases(deps, tenantId, channel)));
  for (const { analysis, suggestion } of await readDelays(deps, tenantId)) insights.push(...delayInsight(suggestion, analysis));
  const [worst] = await readDropOffs(deps, tenantId, sinceMs);
  insights.push(...channelInsight(read.channels), ...dropOffInsight(worst?.sequence ?? '', worst?.largest ?? null));
  const { enrolled, converted, revenue } = read.conversions;
  return {
    sinceMs,
    conversions: { enrolled, converted, rate: enrolled === 0 ? null : converted / enrolled, interval: wilsonInterval(converted, enrolled) },
    ...{ revenue, channels: read.channels, funnel: read.funnel, insights },
  };
}

type Amounts = { currency: string; netMinor: number }[];

async function readConversions(tx: Tx, sinceMs: number): Promise<{ enrolled: number; converted: number; revenue: Amounts }> {
  const { rows } = await tx.execute<{ enrolled: number; converted: number; revenue: Amounts }>(sql`
    with e as materialized (
      select id, status from enrollments
      where activated_at >= to_timestamp(${sinceMs / 1_000}) and stop_reason is distinct from 'holdout'),
    o as (
      select c.enrollment_id, count(*) filter (where c.reversed_at is null) as standing
      from e join conversions c on c.enrollment_id = e.id where c.no_revenue is null group by 1),
    r as (
      select f.currency, sum(f.net_minor)::float8 as "netMinor"
      from e join conversions c on c.enrollment_id = e.id cross join lateral figures_of_order(c) f where f.currency <> '' group by 1)
    select count(*)::int as enrolled,
      (count(*) filter (where o.standing > 0 or (o.standing is null and e.status = 'CONVERTED')))::int as converted,
      coalesce((select json_agg(r order by r.currency) from r), '[]') as revenue
    from e left join o on o.enrollment_id = e.id`);
  return rows[0] ?? { enrolled: 0, converted: 0, revenue: [] };
}

async function readChannels(tx: Tx, sinceMs: number): Promise<Placed[]> {
  const { rows } = await tx.execute<{ key: string; people: number; converted: number }>(sql`
    with e as materialized (
      select x.id, coalesce(o.placed_at, case when x.status = 'CONVERTED' and o.enrollment_id is null then x.ended_at end) as converted_at
      from enrollments x left join (
        select c.enrollment_id, min(c.placed_at) filter (where c.reversed_at is null) as placed_at
        from conversions c where c.no_revenue is null and c.enrollment_id is not null group by 1) o on o.enrollment_id = x.id
      where x.activated_at >= to_timestamp(${sinceMs / 1_000}) and x.stop_reason is distinct from 'holdout'),
    m as (
      select k.channel, e.converted_at, coalesce(k.settled_at, k.claimed_at, k.created_at) as at,
        lead(coalesce(k.settled_at, k.claimed_at, k.created_at)) over (partition by k.enrollment_id order by coalesce(k.settled_at, k.claimed_at, k.created_at), k.id) as next_at
      from e join messages k on k.enrollment_id = e.id
      where k.state in ('sent', 'unknown') or (k.state = 'claimed' and k.live))
    select coalesce(channel, '') as key, count(*)::int as people,
      (count(*) filter (where converted_at >= at and (next_at is null or converted_at < next_at)))::int as converted
    from m group by 1`);
  return leaderboard(rows.map((row) => ({ ...row, name: row.key })));
}

async function readFunnel(tx: Tx, sinceMs: number): Promise<Funnel> {
  const { rows } = await tx.execute<Omit<Funnel, 'revenue'> & { revenue: Amounts }>(sql`
    with s as materialized (select id from subjects where created_at >= to_timestamp(${sinceMs / 1_000})),
    e as materialized (
      select e.id, e.subject_id, e.stop_reason, e.status
      from s join enrollments e on e.subject_id = s.id where e.activated_at is not null and e.stop_reason is distinct from 'holdout'),
    m as (
      select e.subject_id, bool_or(k.clicked_at is not null or c.outcome = 'answered' or e.stop_reason = 'replied') as responded
      from e join messages k on k.enrollment_id = e.id left join calls c on c.message_id = k.id
      where k.state in ('sent', 'unknown') or (k.state = 'claimed' and k.live) group by 1),
    o as (
      select e.subject_id, bool_or(c.reversed_at is null) as converted
      from e join conversions c on c.enrollment_id = e.id where c.no_revenue is null group by 1),
    ended as (select subject_id, bool_or(status = 'CONVERTED') as converted from e group by 1),
    r as (
      select f.currency, sum(f.net_minor)::float8 as "netMinor"
      from m join e on e.subject_id = m.subject_id join conversions c on c.enrollment_id = e.id cross join lateral figures_of_order(c) f
      where f.currency <> '' group by 1)
    select (select count(*)::int from s) as leads, count(*)::int as contacted, (count(*) filter (where m.responded))::int as responded,
      (count(*) filter (where coalesce(o.converted, x.converted)))::int as converted,
      coalesce((select json_agg(r order by r.currency) from r), '[]') as revenue
    from m left join o on o.subject_id = m.subject_id left join ended x on x.subject_id = m.subject_id`);
  return rows[0] ?? { leads: 0, contacted: 0, responded: 0, converted: 0, revenue: [] };
}
