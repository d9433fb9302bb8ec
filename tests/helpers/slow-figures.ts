import type pg from 'pg';
import type { RollupSum } from '../../operations/read/rollups.ts';

/**
 * The truth about figures: count every enrollment of the window with its messages and orders, as analytics did before there were
 * rollups. Shares nothing with them.
 * @param fromMs - epoch ms
 */
export async function countSlowly(client: pg.ClientBase, tenantId: string, fromMs: number): Promise<RollupSum[]> {
  const values = [tenantId, new Date(fromMs).toISOString()];
  const { rows: counts } = await client.query<Record<keyof RollupSum, string> & { type: RollupSum['type'] }>(
    `with started as (
       select id, sequence_type, stop_reason from enrollments where tenant_id = $1 and activated_at >= $2
     ), reached as (
       select m.enrollment_id,
         count(*) filter (where m.state in ('sent', 'unknown')) as steps,
         count(*) filter (where m.state = 'sent' and m.channel = 'email') as mails,
         count(*) filter (where m.state = 'sent' and m.channel = 'email' and m.opened_at is not null) as opened,
         count(*) filter (where m.state = 'sent' and m.channel = 'email' and m.clicked_at is not null) as clicked
       from messages m join started s on s.id = m.enrollment_id where m.tenant_id = $1 group by m.enrollment_id
     )
     select s.sequence_type as type, count(*) as started, count(*) filter (where s.stop_reason = 'purchased') as purchased,
       coalesce(sum(r.steps), 0) as steps, coalesce(sum(r.mails), 0) as mails,
       coalesce(sum(r.opened), 0) as opened, coalesce(sum(r.clicked), 0) as clicked
     from started s left join reached r on r.enrollment_id = s.id group by s.sequence_type`,
    values,
  );
  const { rows: revenue } = await client.query<{ type: RollupSum['type']; currency: string; amount: string; orders: string }>(
    `select e.sequence_type as type, c.currency, sum(c.value_minor) as amount, count(*) as orders
     from conversions c join enrollments e on e.tenant_id = c.tenant_id and e.id = c.enrollment_id
     where e.tenant_id = $1 and e.activated_at >= $2 and c.reversed_at is null group by e.sequence_type, c.currency`,
    values,
  );
  const nothing = { started: 0, purchased: 0, steps: 0, mails: 0, opened: 0, clicked: 0, orders: 0, revenueMinor: 0 };
  return [
    ...counts.map((r) => ({
      ...nothing,
      type: r.type,
      currency: '',
      started: Number(r.started),
      purchased: Number(r.purchased),
      steps: Number(r.steps),
      mails: Number(r.mails),
      opened: Number(r.opened),
      clicked: Number(r.clicked),
    })),
    ...revenue.map((r) => ({ ...nothing, type: r.type, currency: r.currency, orders: Number(r.orders), revenueMinor: Number(r.amount) })),
  ];
}

/** Sums by their place, without those that have come to nothing: what can be compared. */
export function comparable(sums: readonly RollupSum[]): Record<string, Omit<RollupSum, 'type' | 'currency'>> {
  const something = sums.flatMap(({ type, currency, ...figures }) =>
    Object.values(figures).some((n) => n !== 0) ? [[`${type} ${currency}`, figures] as const] : [],
  );
  return Object.fromEntries(something.toSorted(([a], [b]) => a.localeCompare(b)));
}
