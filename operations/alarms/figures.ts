import { gt, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { lateness } from '../../db/schema/index.ts';
import type { AlarmKind } from '../../domain/alarms/decide-alarm.ts';
import { escalationShareIn } from '../work/escalate.ts';

/** Fewer messages say nothing about the share that succeeds. */
const leastMessages = 20;

/** The figures of one store as they stand. null: there is nothing to measure. */
export async function readFigures(tx: Tx): Promise<Record<AlarmKind, number | null>> {
  const [late] = await tx
    .select({ worstMs: sql<string | null>`max(${lateness.worstMs})` })
    .from(lateness)
    .where(gt(lateness.at, sql`clock_timestamp() - interval '5 minutes'`));
  // Ids begin with their time, so that the messages of an hour are found by the key of the table.
  const { rows: counted } = await tx.execute<{ sent: number; failed: number; unknown: number }>(sql`
    select count(*) filter (where m.state = 'sent')::int as sent, count(*) filter (where m.state = 'failed')::int as failed,
      count(*) filter (where m.state = 'unknown')::int as unknown
    from messages m
    where m.id >= (lpad(to_hex((extract(epoch from clock_timestamp() - interval '1 hour') * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid`);
  const { rows: waiting } = await tx.execute<{ waiting: number }>(sql`
    select (select count(*) from inbox i where i.state = 'pending' and i.received_at < clock_timestamp() - interval '1 minute')::int
      + (select count(*) from tasks t where t.state = 'open' and t.due_at < clock_timestamp() - interval '1 minute')::int as waiting`);
  const { sent = 0, failed = 0, unknown = 0 } = counted[0] ?? {};
  const settled = sent + failed + unknown;
  return {
    latency: late?.worstMs == null ? null : Number(late.worstMs) / 1_000,
    success: settled < leastMessages ? null : sent / settled,
    escalation_share: (await escalationShareIn(tx)).share,
    failures: failed + unknown,
    backlog: waiting[0]?.waiting ?? 0,
  };
}
