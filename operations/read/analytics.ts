import { eq } from 'drizzle-orm';
import { tenants } from '../../db/schema/index.ts';
import type { SequenceType } from '../../domain/people/segments.ts';
import { tenantSettings } from '../../domain/tenant-settings.ts';
import type { Deps } from '../deps.ts';
import { readRollups, type RollupSum, startOfHour } from './rollups.ts';
import { type Interval, wilsonInterval } from './wilson-interval.ts';

/**
 * Money that came back, in one currency: amounts of different currencies are never added up. Where nothing was edited or cancelled,
 * net = gross - refunded.
 * Source: docs/adr/0016-what-an-order-counts-for.md
 */
export interface Revenue {
  currency: string;
  /** The orders as they were placed, cancelled ones too. */
  grossMinor: number;
  refundedMinor: number;
  /** What the shop keeps. */
  netMinor: number;
  /** Without those that were cancelled. */
  orders: number;
  cancelledOrders: number;
}

/** How the sequences of a window did. Rates are percentages; null: nothing to divide by, or not measured. */
export interface Figures {
  totalSequences: number;
  purchased: number;
  recoveryRate: number;
  recoveryRateInterval: Interval | null;
  recoveredRevenue: Revenue[];
  /** Orders whose amount or currency is unknown: in none of the amounts. */
  ordersOfUnknownValue: number;
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

/**
 * How the store's sequences did that were started (activated) in the last `days` days. Everything is about those sequences: what they
 * sent, who bought, which orders are credited to them. A cancelled order takes its revenue back; it is not un-bought (rule 11). A test
 * order is neither a purchase nor revenue.
 * The window begins at a full hour (UTC), up to an hour early: it is made of whole sums.
 * Source: requirement S1-15
 */
export function readAnalytics(deps: Pick<Deps, 'db' | 'clock'>, tenantId: string, days: number): Promise<Analytics> {
  const toMs = deps.clock.nowMs();
  const fromMs = startOfHour(toMs - days * dayMs);
  return deps.db.withTenant(tenantId, async (tx) => {
    const [tenant] = await tx.select({ settings: tenants.settings }).from(tenants).where(eq(tenants.id, tenantId));
    const measuresOpens = tenantSettings.parse(tenant?.settings ?? {}).trackOpens;
    const sums = await readRollups(tx, fromMs);
    const figuresOf = (type: SequenceType) =>
      toFigures(
        sums.filter((s) => s.type === type),
        measuresOpens,
      );
    return {
      fromMs,
      toMs,
      all: toFigures(sums, measuresOpens),
      byType: {
        first_time: figuresOf('first_time'),
        returning: figuresOf('returning'),
        high_value: figuresOf('high_value'),
        low_stock: figuresOf('low_stock'),
      },
    };
  });
}

function toFigures(sums: readonly RollupSum[], measuresOpens: boolean): Figures {
  const sum = (of: 'started' | 'purchased' | 'steps' | 'mails' | 'opened' | 'clicked' | 'unknownOrders') =>
    sums.reduce((total, s) => total + s[of], 0);
  const started = sum('started');
  const purchased = sum('purchased');
  const mails = sum('mails');
  const rate = (part: number) => (mails === 0 ? null : (100 * part) / mails);
  return {
    totalSequences: started,
    purchased,
    recoveryRate: started === 0 ? 0 : (100 * purchased) / started,
    recoveryRateInterval: wilsonInterval(purchased, started),
    recoveredRevenue: byCurrency(sums),
    ordersOfUnknownValue: sum('unknownOrders'),
    avgSequenceLength: started === 0 ? 0 : sum('steps') / started,
    mailsSent: mails,
    // Without the picture only those who clicked would count as readers.
    openRate: measuresOpens ? rate(sum('opened')) : null,
    clickRate: rate(sum('clicked')),
  };
}

function byCurrency(sums: readonly RollupSum[]): Revenue[] {
  const revenue = new Map<string, Revenue>();
  for (const { currency, grossMinor, refundedMinor, revenueMinor, orders, cancelledOrders } of sums) {
    // Beside the empty currency stand sequences, messages and orders of unknown value.
    if (currency === '' || (orders === 0 && cancelledOrders === 0)) continue;
    const sofar = revenue.get(currency) ?? { currency, grossMinor: 0, refundedMinor: 0, netMinor: 0, orders: 0, cancelledOrders: 0 };
    revenue.set(currency, {
      currency,
      grossMinor: sofar.grossMinor + grossMinor,
      refundedMinor: sofar.refundedMinor + refundedMinor,
      netMinor: sofar.netMinor + revenueMinor,
      orders: sofar.orders + orders,
      cancelledOrders: sofar.cancelledOrders + cancelledOrders,
    });
  }
  return [...revenue.values()].sort((a, b) => a.currency.localeCompare(b.currency));
}
