import type pg from 'pg';
import type { Sum } from '../../operations/read/sums.ts';

type Place = Pick<Sum, 'kind' | 'segment' | 'channel' | 'currency'>;

const nothing = {
  ...{ started: 0, purchased: 0, steps: 0, sent: 0, opened: 0, clicked: 0 },
  ...{ orders: 0, revenueMinor: 0, grossMinor: 0, refundedMinor: 0, cancelledOrders: 0, unknownOrders: 0 },
};

/**
 * The truth about figures: count every enrollment of the window with its messages and orders, as analytics did before there were
 * sums. Shares nothing with them. What a row is about that an older build wrote stands in its older columns.
 * @param fromMs - epoch ms
 */
export async function countSlowly(client: pg.ClientBase, tenantId: string, fromMs: number): Promise<Sum[]> {
  const values = [tenantId, new Date(fromMs).toISOString()];
  const about = `coalesce(e.subject_kind, 'cart') as kind, coalesce(e.segment, e.sequence_type) as segment`;
  const { rows: counts } = await client.query<Pick<Sum, 'kind' | 'segment'> & Record<'started' | 'purchased', string>>(
    `select ${about}, count(*) as started, count(*) filter (where e.stop_reason = 'purchased') as purchased
     from enrollments e where e.tenant_id = $1 and e.activated_at >= $2 group by 1, 2`,
    values,
  );
  const { rows: messages } = await client.query<Omit<Place, 'currency'> & Record<'steps' | 'sent' | 'opened' | 'clicked', string>>(
    `select ${about}, coalesce(m.channel, '') as channel, count(*) as steps,
       count(*) filter (where m.state = 'sent') as sent,
       count(*) filter (where m.state = 'sent' and m.opened_at is not null) as opened,
       count(*) filter (where m.state = 'sent' and m.clicked_at is not null) as clicked
     from messages m join enrollments e on e.tenant_id = m.tenant_id and e.id = m.enrollment_id
     where m.tenant_id = $1 and e.activated_at >= $2 and m.state in ('sent', 'unknown') group by 1, 2, 3`,
    values,
  );
  const { rows: orders } = await client.query<OrderRow & Pick<Sum, 'kind' | 'segment'>>(
    `select ${about}, c.currency, c.value_minor::float8 as value, c.current_currency, c.current_minor::float8 as current, c.current_at,
       c.reversed_at, coalesce((select json_agg(json_build_object('currency', r.currency, 'amount', r.amount_minor, 'besides', r.besides_total_minor,
         'at', r.refunded_at)) from refunds r where r.tenant_id = c.tenant_id and r.connection_id = c.connection_id and r.order_id = c.order_id), '[]') as refunds
     from conversions c join enrollments e on e.tenant_id = c.tenant_id and e.id = c.enrollment_id
     where e.tenant_id = $1 and e.activated_at >= $2 and c.no_revenue is null`,
    values,
  );
  return [
    ...counts.map(({ kind, segment, started, purchased }) => ({
      ...{ ...nothing, kind, segment, channel: '', currency: '' },
      ...{ started: Number(started), purchased: Number(purchased) },
    })),
    ...messages.map(({ kind, segment, channel, steps, sent, opened, clicked }) => ({
      ...{ ...nothing, kind, segment, channel, currency: '' },
      ...{ steps: Number(steps), sent: Number(sent), opened: Number(opened), clicked: Number(clicked) },
    })),
    ...orders.map((o) => ({ ...nothing, kind: o.kind, segment: o.segment, channel: '', ...moneyOf(o) })),
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
function moneyOf(o: OrderRow): Partial<Sum> & { currency: string } {
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
export function comparable(sums: readonly Sum[]): Record<string, Omit<Sum, keyof Place>> {
  const places = new Map<string, Record<string, number>>();
  for (const { kind, segment, channel, currency, ...figures } of sums) {
    const name = [kind, segment, channel === '' ? null : channel, currency === '' ? null : currency].filter((part) => part !== null).join(' ');
    const place = places.get(name) ?? {};
    for (const [figure, n] of Object.entries(figures)) place[figure] = (place[figure] ?? 0) + n;
    places.set(name, place);
  }
  const something = [...places].filter(([, figures]) => Object.values(figures).some((n) => n !== 0));
  return Object.fromEntries(something.toSorted(([a], [b]) => a.localeCompare(b))) as Record<string, Omit<Sum, keyof Place>>;
}
