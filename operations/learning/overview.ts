import { sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { channelInsight, delayInsight, dropOffInsight, type Insight, wordInsights } from '../../domain/learning/insights.ts';
import { leaderboard, type Placed } from '../../domain/learning/leaderboard.ts';
import type { Interval } from '../../domain/statistics/interval.ts';
import { wilsonInterval } from '../../domain/statistics/proportions.ts';
import type { Deps } from '../deps.ts';
import { courseSums, startOfDay } from '../read/course-sums.ts';
import { delaysOfTests } from './delays.ts';
import { readDropOffs } from './drop-offs.ts';
import { phrasesOfTests } from './phrases.ts';
import { channelsOfTests, readTestedArms } from './tested-arms.ts';

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

/** What the store’s results teach, on one page. @param sinceMs - since the beginning of that UTC day, epoch milliseconds */
export async function readLearning(deps: Pick<Deps, 'db'>, tenantId: string, sinceMs: number): Promise<LearningOverview> {
  const read = await deps.db.withTenant(tenantId, async (tx) => {
    const [conversions, channels, funnel, tests] = [
      await readConversions(tx, tenantId, sinceMs),
      await readChannels(tx, tenantId, sinceMs),
      await readFunnel(tx, tenantId, sinceMs),
      await readTestedArms(tx, tenantId),
    ];
    const learned: Insight[] = [];
    for (const channel of await channelsOfTests(tx)) learned.push(...wordInsights(channel, await phrasesOfTests(tx, tests, channel)));
    for (const { analysis, suggestion } of await delaysOfTests(tx, tests)) learned.push(...delayInsight(suggestion, analysis));
    return { conversions, channels, funnel, learned };
  });
  const insights = read.learned;
  const [worst] = await readDropOffs(deps, tenantId, sinceMs);
  insights.push(...channelInsight(read.channels), ...dropOffInsight(worst?.name ?? '', worst?.largest ?? null));
  const { enrolled, converted, revenue } = read.conversions;
  return {
    sinceMs: startOfDay(sinceMs),
    conversions: { enrolled, converted, rate: enrolled === 0 ? null : converted / enrolled, interval: wilsonInterval(converted, enrolled) },
    ...{ revenue, channels: read.channels, funnel: read.funnel, insights },
  };
}

type Amounts = { currency: string; netMinor: number }[];

async function readConversions(tx: Tx, tenantId: string, sinceMs: number): Promise<{ enrolled: number; converted: number; revenue: Amounts }> {
  const { rows } = await tx.execute<{ topic: string; currency: string; cases: number; converted: number; amount: number }>(sql`
    select f.topic, f.currency, sum(f.cases)::int as cases, sum(f.converted)::int as converted, sum(f.amount)::float8 as amount
    from ${courseSums(tenantId, { topics: ['course', 'revenue'], sinceMs })} f group by 1, 2 order by 2`);
  const counts = rows.find(({ topic }) => topic === 'course');
  return { enrolled: counts?.cases ?? 0, converted: counts?.converted ?? 0, revenue: amountsOf(rows.filter(({ topic }) => topic === 'revenue')) };
}

const amountsOf = (rows: readonly { currency: string; amount: number }[]): Amounts =>
  rows.map(({ currency, amount }) => ({ currency, netMinor: amount }));

async function readChannels(tx: Tx, tenantId: string, sinceMs: number): Promise<Placed[]> {
  const { rows } = await tx.execute<{ key: string; people: number; converted: number }>(sql`
    select f.channel as key, sum(f.executed)::int as people, sum(f.converted)::int as converted
    from ${courseSums(tenantId, { topics: ['step'], sinceMs })} f group by 1 having sum(f.executed) <> 0`);
  return leaderboard(rows.map((row) => ({ ...row, name: row.key })));
}

async function readFunnel(tx: Tx, tenantId: string, sinceMs: number): Promise<Funnel> {
  const { rows } = await tx.execute<Record<'leads' | 'contacted' | 'responded' | 'converted' | 'amount', number> & { currency: string }>(sql`
    select f.currency, sum(f.leads)::int as leads, sum(f.executed)::int as contacted, sum(f.replied)::int as responded, sum(f.converted)::int as converted,
      sum(f.amount)::float8 as amount
    from ${courseSums(tenantId, { topics: ['funnel'], sinceMs })} f group by 1 order by 1`);
  const { leads = 0, contacted = 0, responded = 0, converted = 0 } = rows.find(({ currency }) => currency === '') ?? {};
  return { leads, contacted, responded, converted, revenue: amountsOf(rows.filter(({ currency }) => currency !== '')) };
}
