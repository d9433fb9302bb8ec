import { eq } from 'drizzle-orm';
import { tenants } from '../../db/schema/index.ts';
import { type ChannelTraits } from '../../domain/channels/channel.ts';
import { channels, isChannel } from '../../domain/channels/index.ts';
import { tenantSettings } from '../../domain/tenant-settings.ts';
import type { Deps } from '../deps.ts';
import { readSums, startOfHour, type Sum } from './sums.ts';
import type { Interval } from '../../domain/statistics/interval.ts';
import { wilsonInterval } from '../../domain/statistics/proportions.ts';

/**
 * Recovered revenue in one currency: amounts of different currencies are never added up. Where nothing was edited or cancelled,
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

/** What went out on one channel. Rates are percentages; null: nothing to divide by, or not measured. */
export interface ChannelFigures {
  channel: string;
  /** Messages that a provider is known to have accepted. */
  sent: number;
  openRate: number | null;
  clickRate: number | null;
}

/** How the sequences of a window did. Rates are percentages; null: nothing to divide by, or not measured. */
export interface Figures {
  totalSequences: number;
  purchased: number;
  conversionRate: number;
  conversionRateInterval: Interval | null;
  revenue: Revenue[];
  /** Orders whose amount or currency is unknown: in none of the amounts. */
  ordersOfUnknownValue: number;
  avgSequenceLength: number;
  /** Those on which something was sent, by name. */
  messages: ChannelFigures[];
}

/** The sequences about subjects of one kind, all of them and by the kind's segments. */
export interface KindFigures {
  kind: string;
  all: Figures;
  bySegment: { segment: string; figures: Figures }[];
}

export interface Analytics {
  fromMs: number;
  toMs: number;
  /** All sequences, whatever they are about. */
  all: Figures;
  /** Every kind that the installation knows, in its order. */
  kinds: KindFigures[];
}

const dayMs = 24 * 3_600_000;

/**
 * The results of the store's sequences that were started (activated) in the last `days` days: what they sent, who bought, which orders are credited
 * to them. A cancelled order takes its revenue back; it is not un-bought (rule 11). A test
 * order is neither a purchase nor revenue.
 * The window begins at a full hour (UTC), up to an hour early: it is made of whole sums.
 */
export function readAnalytics(deps: Pick<Deps, 'db' | 'clock' | 'subjects'>, tenantId: string, days: number): Promise<Analytics> {
  const toMs = deps.clock.nowMs();
  const fromMs = startOfHour(toMs - days * dayMs);
  return deps.db.withTenant(tenantId, async (tx) => {
    const [tenant] = await tx.select({ settings: tenants.settings }).from(tenants).where(eq(tenants.id, tenantId));
    const measuresOpens = tenantSettings.parse(tenant?.settings ?? {}).trackOpens;
    const sums = await readSums(tx, fromMs);
    const kinds = deps.subjects.all.map(({ kind, segments }) => {
      const own = sums.filter((s) => s.kind === kind);
      const figuresOf = (segment: string) =>
        toFigures(
          own.filter((s) => s.segment === segment),
          measuresOpens,
        );
      return { kind, all: toFigures(own, measuresOpens), bySegment: segments.map((segment) => ({ segment, figures: figuresOf(segment) })) };
    });
    return { fromMs, toMs, all: toFigures(sums, measuresOpens), kinds };
  });
}

function toFigures(sums: readonly Sum[], measuresOpens: boolean): Figures {
  const sum = (of: 'started' | 'purchased' | 'steps' | 'unknownOrders') => sums.reduce((total, s) => total + s[of], 0);
  const started = sum('started');
  const purchased = sum('purchased');
  return {
    totalSequences: started,
    purchased,
    conversionRate: started === 0 ? 0 : (100 * purchased) / started,
    conversionRateInterval: wilsonInterval(purchased, started),
    revenue: byCurrency(sums),
    ordersOfUnknownValue: sum('unknownOrders'),
    avgSequenceLength: started === 0 ? 0 : sum('steps') / started,
    messages: byChannel(sums, measuresOpens),
  };
}

function byChannel(sums: readonly Sum[], measuresOpens: boolean): ChannelFigures[] {
  const names = [...new Set(sums.filter((s) => s.channel !== '' && s.sent > 0).map((s) => s.channel))];
  return names.sort().map((channel) => {
    const own = sums.filter((s) => s.channel === channel);
    const sent = own.reduce((total, s) => total + s.sent, 0);
    const rate = (of: 'opened' | 'clicked') => (100 * own.reduce((total, s) => total + s[of], 0)) / sent;
    const traits: ChannelTraits | null = isChannel(channel) ? channels[channel] : null;
    // Without the picture only people who clicked would count as having opened.
    return { channel, sent, openRate: measuresOpens && traits?.tellsOpens === true ? rate('opened') : null, clickRate: rate('clicked') };
  });
}

function byCurrency(sums: readonly Sum[]): Revenue[] {
  const revenue = new Map<string, Revenue>();
  for (const { currency, grossMinor, refundedMinor, revenueMinor, orders, cancelledOrders } of sums) {
    // Rows with an empty currency hold sequences, messages and orders of unknown value.
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
