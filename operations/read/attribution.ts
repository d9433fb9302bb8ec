import { eq, sql } from 'drizzle-orm';
import { tenants } from '../../db/schema/index.ts';
import { type AttributionModel, attributionModels } from '../../domain/attribution/models.ts';
import { minorDigits } from '../../domain/money.ts';
import { settingsOf } from '../../domain/tenant-settings.ts';
import type { Deps } from '../deps.ts';
import { type Holdout, readHoldouts } from './holdouts.ts';

// For code that may not import `domain/`.
export { attributionModels };

/** By what credits can be shown. */
export const attributionPlaces = ['sequence', 'step', 'channel', 'variant', 'campaign', 'source'] as const;
export type AttributionPlace = (typeof attributionPlaces)[number];

/** What was credited in one currency, in its minor units. */
export interface CreditedRevenue {
  currency: string;
  grossMinor: number;
  refundedMinor: number;
  netMinor: number;
}

export interface Credit {
  /** The slug, the step of it (`cart/email_2h`), the channel …; empty: none, or not known. */
  key: string;
  /** For people. */
  name: string;
  /** Orders that were not cancelled, in shares of orders. */
  orders: number;
  revenue: CreditedRevenue[];
}

export interface Attribution {
  fromMs: number;
  toMs: number;
  model: AttributionModel;
  by: AttributionPlace;
  windowDays: number;
  halfLifeDays: number;
  credits: Credit[];
  total: Omit<Credit, 'key' | 'name'>;
  /** Everything in the store's currency by the rates that it states; null: it has no currency. `missing`: they are in no sum. */
  converted: { currency: string; netMinor: number; rates: Record<string, number>; missing: string[] } | null;
  /** What messages caused, beside what they are credited with. */
  incremental: Holdout[];
}

interface Row extends Record<string, unknown> {
  key: string;
  name: string;
  currency: string;
  micros: string;
  gross: string;
  refunded: string;
  net: string;
}

const dayMs = 86_400_000;

/** SQL of the key and the name by which credits are grouped. */
const placeOf: Record<AttributionPlace, { key: string; name: string }> = {
  sequence: { key: 's.slug', name: 's.name' },
  step: { key: `s.slug || '/' || f.step_id`, name: `s.name || ', ' || f.step_id` },
  channel: { key: 'f.channel', name: 'f.channel' },
  variant: { key: `case f.variant when '' then '' else s.slug || '/' || f.step_id || '/' || f.variant end`, name: 'f.variant' },
  campaign: { key: 'f.campaign', name: `coalesce(c.name, '')` },
  source: { key: 'f.source', name: 'f.source' },
};

/**
 * What messages are credited with of the orders placed since, and what sequences caused as their holdouts show it. Reads sums, and beside them, in one snapshot, the orders whose
 * credits are to be computed anew: exact at every moment.
 * @param days - whole UTC days before today, and today
 */
export async function readAttribution(
  deps: Pick<Deps, 'db' | 'clock' | 'versions'>,
  tenantId: string,
  { days, model, by }: { days: number; model: AttributionModel; by: AttributionPlace },
): Promise<Attribution> {
  const toMs = deps.clock.nowMs();
  const fromMs = Math.floor(toMs / dayMs - days) * dayMs;
  const { settings, rows } = await deps.db.withTenant(tenantId, async (tx) => {
    const [tenant] = await tx.select().from(tenants).where(eq(tenants.id, tenantId));
    if (tenant === undefined) throw new Error('the tenant does not exist');
    const place = placeOf[by];
    const columns = sql.raw(
      'sequence_id, step_id, channel, variant, campaign, source, currency, order_micros, gross_minor, refunded_minor, net_minor',
    );
    const found = await tx.execute<Row>(sql`
      with marked as materialized (
        select distinct o.id from attribution_marks m cross join lateral marked_for_attribution(m) o(id)),
      f as (
        select ${columns} from attribution_sums where model = ${model} and day >= to_timestamp(${fromMs / 1_000})
        union all
        select sequence_id, step_id, channel, variant, campaign, source, currency, -order_micros, -gross_minor, -refunded_minor, -net_minor
        from marked m join attribution_credits c on c.conversion_id = m.id
        where c.model = ${model} and c.day >= to_timestamp(${fromMs / 1_000})
        union all
        select ${sql.raw('a.sequence_id, a.step_id, a.channel, a.variant, a.campaign, a.source, a.currency, a.order_micros, a.gross_minor, a.refunded_minor, a.net_minor')}
        from marked m cross join lateral attribution_of(${tenantId}, m.id) a
        where a.model = ${model} and a.day >= to_timestamp(${fromMs / 1_000}))
      select ${sql.raw(place.key)} as key, max(${sql.raw(place.name)}) as name, f.currency, sum(f.order_micros) as micros, sum(f.gross_minor) as gross,
        sum(f.refunded_minor) as refunded, sum(f.net_minor) as net
      from f join sequences s on s.id = f.sequence_id left join campaigns c on c.id::text = f.campaign
      group by 1, 3
      having (sum(f.order_micros), sum(f.gross_minor), sum(f.refunded_minor), sum(f.net_minor)) <> (0, 0, 0, 0)
      order by 1, 3`);
    return { settings: settingsOf(tenant), rows: found.rows };
  });
  const keys = [...new Set(rows.map(({ key }) => key))];
  const total = creditOf(rows);
  return {
    ...{ fromMs, toMs, model, by, windowDays: settings.attribution.windowDays, halfLifeDays: settings.attribution.halfLifeDays },
    credits: keys
      .map((key) => {
        const own = rows.filter((row) => row.key === key);
        return { key, name: own[0]?.name ?? key, ...creditOf(own) };
      })
      .toSorted((a, b) => b.orders - a.orders || a.key.localeCompare(b.key)),
    total,
    converted: settings.currency === null ? null : convertedTo(settings.currency, total.revenue, settings.exchangeRates),
    incremental: await readHoldouts(deps, tenantId),
  };
}

function creditOf(rows: readonly Row[]): Omit<Credit, 'key' | 'name'> {
  const sum = (among: readonly Row[], of: 'micros' | 'gross' | 'refunded' | 'net') => among.reduce((total, row) => total + Number(row[of]), 0);
  const currencies = [...new Set(rows.map(({ currency }) => currency))].filter((currency) => currency !== '').toSorted();
  return {
    orders: sum(rows, 'micros') / 1_000_000,
    revenue: currencies.map((currency) => {
      const own = rows.filter((row) => row.currency === currency);
      return { currency, grossMinor: sum(own, 'gross'), refundedMinor: sum(own, 'refunded'), netMinor: sum(own, 'net') };
    }),
  };
}

function convertedTo(currency: string, revenue: readonly CreditedRevenue[], stated: Readonly<Record<string, number>>): Attribution['converted'] {
  const rateOf = (from: string) => (from === currency ? 1 : (stated[from] ?? null));
  const unit = (of: string) => 10 ** (minorDigits(of) ?? 2);
  const used = revenue.filter(({ currency: from }) => from !== currency && rateOf(from) !== null);
  return {
    currency,
    netMinor: revenue.reduce((sum, one) => sum + Math.round((one.netMinor / unit(one.currency)) * (rateOf(one.currency) ?? 0) * unit(currency)), 0),
    rates: Object.fromEntries(used.map(({ currency: from }) => [from, stated[from] ?? 0])),
    missing: revenue.filter(({ currency: from }) => rateOf(from) === null).map(({ currency: from }) => from),
  };
}
