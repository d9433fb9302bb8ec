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
  const { rows: orders } = await client.query<OrderRow & { type: RollupSum['type'] }>(
    `select e.sequence_type as type, c.currency, c.value_minor::float8 as value, c.current_currency, c.current_minor::float8 as current, c.current_at,
       c.reversed_at, coalesce((select json_agg(json_build_object('currency', r.currency, 'amount', r.amount_minor, 'besides', r.besides_total_minor,
         'at', r.refunded_at)) from refunds r where r.tenant_id = c.tenant_id and r.connection_id = c.connection_id and r.order_id = c.order_id), '[]') as refunds
     from conversions c join enrollments e on e.tenant_id = c.tenant_id and e.id = c.enrollment_id
     where e.tenant_id = $1 and e.activated_at >= $2 and c.no_revenue is null`,
    values,
  );
  const nothing = {
    ...{ started: 0, purchased: 0, steps: 0, mails: 0, opened: 0, clicked: 0 },
    ...{ orders: 0, revenueMinor: 0, grossMinor: 0, refundedMinor: 0, cancelledOrders: 0, unknownOrders: 0 },
  };
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
    ...orders.map((r) => ({ ...nothing, type: r.type, ...moneyOf(r) })),
  ];
}

interface OrderRow {
  currency: string | null;
  value: number | null;
  current_currency: string | null;
  current: number | null;
  current_at: Date | null;
  reversed_at: Date | null;
  refunds: { currency: string | null; amount: number; besides: number; at: string }[];
}

/** docs/adr/0016-what-an-order-counts-for.md, written a second time. */
function moneyOf(o: OrderRow): Partial<RollupSum> & { currency: string } {
  const cancelledOrders = o.reversed_at === null ? 0 : 1;
  const currency = o.currency ?? o.current_currency;
  const total = o.current_currency === null || o.current_currency === currency ? o.current : null;
  const refunds = o.refunds.filter((r) => r.currency === null || r.currency === currency);
  const sum = (amounts: number[]) => amounts.reduce((all, one) => all + one, 0);
  const refundedMinor = sum(refunds.map((r) => r.amount));
  const contained = sum(refunds.map((r) => (o.current_at !== null && Date.parse(r.at) <= o.current_at.getTime() ? r.amount - r.besides : 0)));
  const asOrdered = o.currency === null ? null : o.value;
  const grossMinor = currency === null ? null : (asOrdered ?? (total === null ? null : total + contained));
  if (currency === null || grossMinor === null) return { currency: '', cancelledOrders, unknownOrders: 1 - cancelledOrders };
  const kept = total === null ? grossMinor - refundedMinor : total - (refundedMinor - contained);
  const revenueMinor = cancelledOrders === 1 ? 0 : Math.max(0, kept);
  return { currency, orders: 1 - cancelledOrders, revenueMinor, grossMinor, refundedMinor, cancelledOrders };
}

/** Figures by their place, added up, without those that have come to nothing: what can be compared. */
export function comparable(sums: readonly RollupSum[]): Record<string, Omit<RollupSum, 'type' | 'currency'>> {
  const places = new Map<string, Record<string, number>>();
  for (const { type, currency, ...figures } of sums) {
    const place = places.get(`${type} ${currency}`) ?? {};
    for (const [name, n] of Object.entries(figures)) place[name] = (place[name] ?? 0) + n;
    places.set(`${type} ${currency}`, place);
  }
  const something = [...places].filter(([, figures]) => Object.values(figures).some((n) => n !== 0));
  return Object.fromEntries(something.toSorted(([a], [b]) => a.localeCompare(b))) as Record<string, Omit<RollupSum, 'type' | 'currency'>>;
}
