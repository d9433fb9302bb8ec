import { eq, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { tenants } from '../../db/schema/index.ts';
import type { SequenceType } from '../../domain/people/segments.ts';
import { tenantSettings } from '../../domain/tenant-settings.ts';
import type { Deps } from '../deps.ts';
import { type Interval, wilsonInterval } from './wilson-interval.ts';

/** Money that came back, in one currency: amounts of different currencies are never added up. */
export interface Revenue {
  currency: string;
  amountMinor: number;
  orders: number;
}

/** How the sequences of a window did. Rates are percentages; null: nothing to divide by, or not measured. */
export interface Figures {
  totalSequences: number;
  purchased: number;
  recoveryRate: number;
  recoveryRateInterval: Interval | null;
  recoveredRevenue: Revenue[];
  avgSequenceLength: number;
  mailsSent: number;
  openRate: number | null;
  clickRate: number | null;
}

export interface Analytics {
  fromMs: number;
  toMs: number;
  all: Figures;
  byType: Record<SequenceType, Figures>;
}

const dayMs = 24 * 3_600_000;

interface Counts {
  started: number;
  purchased: number;
  steps: number;
  mails: number;
  opened: number;
  clicked: number;
}
const noCounts: Counts = { started: 0, purchased: 0, steps: 0, mails: 0, opened: 0, clicked: 0 };

/**
 * How the store's sequences did that were started (activated) in the last `days` days. Everything is about those sequences: what they
 * sent, who bought, which orders are credited to them. A cancelled order takes its revenue back; it is not un-bought (rule 11).
 * Source: requirement S1-15
 */
export function readAnalytics(deps: Pick<Deps, 'db' | 'clock'>, tenantId: string, days: number): Promise<Analytics> {
  const toMs = deps.clock.nowMs();
  const fromMs = toMs - days * dayMs;
  return deps.db.withTenant(tenantId, async (tx) => {
    const from = new Date(fromMs).toISOString();
    const [tenant] = await tx.select({ settings: tenants.settings }).from(tenants).where(eq(tenants.id, tenantId));
    const measuresOpens = tenantSettings.parse(tenant?.settings ?? {}).trackOpens;
    const counts = await readCounts(tx, from);
    const revenue = await readRevenue(tx, from);
    const figuresOf = (types: readonly SequenceType[]) =>
      toFigures(
        types.map((t) => counts.get(t) ?? noCounts),
        revenue.filter((r) => types.includes(r.type)),
        measuresOpens,
      );
    return {
      fromMs,
      toMs,
      all: figuresOf(['first_time', 'returning', 'high_value', 'low_stock']),
      byType: {
        first_time: figuresOf(['first_time']),
        returning: figuresOf(['returning']),
        high_value: figuresOf(['high_value']),
        low_stock: figuresOf(['low_stock']),
      },
    };
  });
}

async function readCounts(tx: Tx, from: string): Promise<Map<SequenceType, Counts>> {
  const { rows } = await tx.execute<{ type: SequenceType } & Record<keyof Counts, string>>(sql`
    with started as (
      select tenant_id, id, sequence_type, stop_reason from enrollments where activated_at >= ${from}::timestamptz
    ), reached as (
      select m.enrollment_id,
        count(*) filter (where m.state in ('sent', 'unknown')) as steps,
        count(*) filter (where m.state = 'sent' and m.channel = 'email') as mails,
        count(*) filter (where m.state = 'sent' and m.channel = 'email' and m.opened_at is not null) as opened,
        count(*) filter (where m.state = 'sent' and m.channel = 'email' and m.clicked_at is not null) as clicked
      from messages m join started s on s.tenant_id = m.tenant_id and s.id = m.enrollment_id group by m.enrollment_id
    )
    select s.sequence_type as type, count(*) as started, count(*) filter (where s.stop_reason = 'purchased') as purchased,
      coalesce(sum(r.steps), 0) as steps, coalesce(sum(r.mails), 0) as mails,
      coalesce(sum(r.opened), 0) as opened, coalesce(sum(r.clicked), 0) as clicked
    from started s left join reached r on r.enrollment_id = s.id group by s.sequence_type`);
  return new Map(
    rows.map((r) => [
      r.type,
      {
        started: Number(r.started),
        purchased: Number(r.purchased),
        steps: Number(r.steps),
        mails: Number(r.mails),
        opened: Number(r.opened),
        clicked: Number(r.clicked),
      },
    ]),
  );
}

type TypedRevenue = Revenue & { type: SequenceType };

async function readRevenue(tx: Tx, from: string): Promise<TypedRevenue[]> {
  const { rows } = await tx.execute<{ type: SequenceType; currency: string; amount: string; orders: string }>(sql`
    select e.sequence_type as type, c.currency, sum(c.value_minor) as amount, count(*) as orders
    from conversions c join enrollments e on e.tenant_id = c.tenant_id and e.id = c.enrollment_id
    where e.activated_at >= ${from}::timestamptz and c.reversed_at is null
    group by e.sequence_type, c.currency`);
  return rows.map((r) => ({ type: r.type, currency: r.currency, amountMinor: Number(r.amount), orders: Number(r.orders) }));
}

function toFigures(counts: readonly Counts[], revenue: readonly TypedRevenue[], measuresOpens: boolean): Figures {
  const sum = (of: keyof Counts) => counts.reduce((total, c) => total + c[of], 0);
  const started = sum('started');
  const purchased = sum('purchased');
  const mails = sum('mails');
  const rate = (part: number) => (mails === 0 ? null : (100 * part) / mails);
  return {
    totalSequences: started,
    purchased,
    recoveryRate: started === 0 ? 0 : (100 * purchased) / started,
    recoveryRateInterval: wilsonInterval(purchased, started),
    recoveredRevenue: byCurrency(revenue),
    avgSequenceLength: started === 0 ? 0 : sum('steps') / started,
    mailsSent: mails,
    // Without the picture only those who clicked would count as readers.
    openRate: measuresOpens ? rate(sum('opened')) : null,
    clickRate: rate(sum('clicked')),
  };
}

function byCurrency(revenue: readonly TypedRevenue[]): Revenue[] {
  const sums = new Map<string, Revenue>();
  for (const { currency, amountMinor, orders } of revenue) {
    const sofar = sums.get(currency) ?? { currency, amountMinor: 0, orders: 0 };
    sums.set(currency, { currency, amountMinor: sofar.amountMinor + amountMinor, orders: sofar.orders + orders });
  }
  return [...sums.values()].sort((a, b) => a.currency.localeCompare(b.currency));
}
