import { sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import type { SequenceType } from '../../domain/people/segments.ts';

/** What the sequences of one type came to; amounts with their orders in one currency, everything else beside the empty one. */
export interface RollupSum {
  type: SequenceType;
  currency: string;
  started: number;
  purchased: number;
  steps: number;
  mails: number;
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
 * statement, so one look at all three: folding at that moment neither hides anything nor shows it twice.
 * @param fromMs - the start of an hour, epoch ms
 */
export async function readRollups(tx: Pick<Tx, 'execute'>, fromMs: number): Promise<RollupSum[]> {
  const from = new Date(fromMs).toISOString();
  const firstDay = new Date(Math.ceil(fromMs / dayMs) * dayMs).toISOString();
  const figures = sql.raw(
    'sequence_type, currency, started, purchased, steps, mails, opened, clicked, orders, revenue_minor, gross_minor, refunded_minor, cancelled_orders, unknown_orders',
  );
  const { rows } = await tx.execute<Record<keyof RollupSum, string> & { type: SequenceType }>(sql`
    select sequence_type as type, currency, sum(started) as started, sum(purchased) as purchased, sum(steps) as steps, sum(mails) as mails,
      sum(opened) as opened, sum(clicked) as clicked, sum(orders) as orders, sum(revenue_minor) as "revenueMinor",
      sum(gross_minor) as "grossMinor", sum(refunded_minor) as "refundedMinor", sum(cancelled_orders) as "cancelledOrders",
      sum(unknown_orders) as "unknownOrders"
    from (
      select ${figures} from rollups where grain = 'day' and starts_at >= ${firstDay}::timestamptz
      union all
      select ${figures} from rollups where grain = 'hour' and starts_at >= ${from}::timestamptz and starts_at < ${firstDay}::timestamptz
      union all
      select ${figures} from rollup_deltas where hour >= ${from}::timestamptz
    ) as sums group by sequence_type, currency`);
  return rows.map((r) => ({
    type: r.type,
    currency: r.currency,
    started: Number(r.started),
    purchased: Number(r.purchased),
    steps: Number(r.steps),
    mails: Number(r.mails),
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
