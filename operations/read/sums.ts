import { sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';

/**
 * One row of figures of the sequences about subjects of one kind and segment. A row is for one currency (orders and amounts), or for one channel
 * (messages), or, where both are empty, for everything else.
 */
export interface Sum {
  kind: string;
  segment: string;
  channel: string;
  currency: string;
  started: number;
  purchased: number;
  /** Messages that went out, those of unknown outcome too. */
  steps: number;
  /** Messages that a provider is known to have accepted, and what became of them. */
  sent: number;
  opened: number;
  clicked: number;
  /** Of known value, and not cancelled. */
  orders: number;
  /** Net: what the shop keeps. */
  revenueMinor: number;
  grossMinor: number;
  refundedMinor: number;
  cancelledOrders: number;
  /** Of unknown value: in none of the amounts. */
  unknownOrders: number;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** The full hour (UTC) at or before an instant: sums begin there. Epoch ms. */
export const startOfHour = (ms: number) => Math.floor(ms / hourMs) * hourMs;

/**
 * The sums of all sequences activated since: whole days where there are any, hours before them, and what is not folded in yet. One
 * statement, so one snapshot of all three: folding at that moment neither hides anything nor shows it twice.
 * @param fromMs - the start of an hour, epoch ms
 */
export async function readSums(tx: Pick<Tx, 'execute'>, fromMs: number): Promise<Sum[]> {
  const from = new Date(fromMs).toISOString();
  const firstDay = new Date(Math.ceil(fromMs / dayMs) * dayMs).toISOString();
  const columns = sql.raw(
    'subject_kind, segment, channel, currency, started, purchased, steps, sent, opened, clicked, orders, revenue_minor, gross_minor, refunded_minor, cancelled_orders, unknown_orders',
  );
  const { rows } = await tx.execute<Record<keyof Sum, string>>(sql`
    select subject_kind as kind, segment, channel, currency, sum(started) as started, sum(purchased) as purchased, sum(steps) as steps,
      sum(sent) as sent, sum(opened) as opened, sum(clicked) as clicked, sum(orders) as orders, sum(revenue_minor) as "revenueMinor",
      sum(gross_minor) as "grossMinor", sum(refunded_minor) as "refundedMinor", sum(cancelled_orders) as "cancelledOrders",
      sum(unknown_orders) as "unknownOrders"
    from (
      select ${columns} from sums where grain = 'day' and starts_at >= ${firstDay}::timestamptz
      union all
      select ${columns} from sums where grain = 'hour' and starts_at >= ${from}::timestamptz and starts_at < ${firstDay}::timestamptz
      union all
      select ${columns} from sum_deltas where hour >= ${from}::timestamptz
    ) as figures group by subject_kind, segment, channel, currency`);
  return rows.map((r) => ({
    kind: r.kind,
    segment: r.segment,
    channel: r.channel,
    currency: r.currency,
    started: Number(r.started),
    purchased: Number(r.purchased),
    steps: Number(r.steps),
    sent: Number(r.sent),
    opened: Number(r.opened),
    clicked: Number(r.clicked),
    orders: Number(r.orders),
    revenueMinor: Number(r.revenueMinor),
    grossMinor: Number(r.grossMinor),
    refundedMinor: Number(r.refundedMinor),
    cancelledOrders: Number(r.cancelledOrders),
    unknownOrders: Number(r.unknownOrders),
  }));
}
