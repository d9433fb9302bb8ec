import { sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import type { Amount } from '../../domain/interventions/amount.ts';
import { type InterventionSums, sumUp } from '../../domain/interventions/figures.ts';
import { totalCost } from '../../domain/interventions/cost.ts';
import { aims, successAims, successMeans } from '../../domain/interventions/outcome.ts';
import { type Return, returnOf } from '../../domain/interventions/worth.ts';
import { interventionBands, type InterventionBand } from '../../domain/risk/band-move.ts';
import type { Prediction } from '../../domain/risk/outcome.ts';
import type { Interval } from '../../domain/statistics/interval.ts';
import { type Moments, welch } from '../../domain/statistics/means.ts';
import { differenceInterval, wilsonInterval } from '../../domain/statistics/proportions.ts';
import type { Deps } from '../deps.ts';
import { startOfDay } from '../read/course-sums.ts';
import { type EscalationShare, mostShare, readEscalationShare } from '../work/escalate.ts';
import { assignedPeople } from './assigned-people.ts';
import { judgedNow } from './interventions.ts';
import { readKeptFigures } from './kept.ts';
import { type Arms, readArms } from './worth.ts';

/** What the people of a sequence bought beyond those who were held out, in one currency. */
export interface Protected {
  amount: Amount;
  /** 95 %, in the same currency. */
  low: Amount;
  high: Amount;
}

export interface BandFigures extends InterventionSums {
  band: InterventionBand;
  successMeans: string;
  /** Which share of them is aimed at. */
  successAim: { from: number; to: number };
  rate: number | null;
  interval: Interval | null;
  arms: Arms;
  /** How many more accounts stayed than of those that were held out, and which share of either was lost; null: nobody is held out, or no horizon is over. */
  effect: { difference: number; interval: Interval; churn: { heldOut: number; treated: number } } | null;
  /** null: fewer than two accounts in an arm. */
  protected: Protected[] | null;
  returnOnAttributed: Return;
  returnOnProtected: Return;
}

export interface InterventionFigures {
  fromMs: number;
  toMs: number;
  windowDays: number;
  prediction: Prediction;
  /** What is aimed at: the share of successes at least, the return, and the share of accounts that are escalated at most. */
  aims: typeof aims & { escalated: number };
  all: InterventionSums & { rate: number | null; interval: Interval | null; returnOnAttributed: Return };
  bands: BandFigures[];
  channels: (Pick<InterventionSums, 'actions' | 'outcomes' | 'cost'> & { channel: string })[];
  /** From the entry into the band to the first action, in milliseconds; null: none took place. */
  firstActionMs: { p50: number; p99: number } | null;
  escalations: EscalationShare;
}

/** What the interventions did, cost and brought in that began in the last `days` days, from the beginning of the first of them, UTC. */
export async function readInterventionFigures(deps: Pick<Deps, 'db' | 'clock'>, tenantId: string, days: number): Promise<InterventionFigures> {
  const toMs = deps.clock.nowMs();
  const fromMs = startOfDay(toMs - days * 86_400_000);
  const { kept, settings, arms, revenue } = await deps.db.withTenant(tenantId, async (tx) => {
    const by = await judgedNow(tx, deps, tenantId);
    const { riskPrediction } = by.settings;
    return {
      kept: await readKeptFigures(tx, tenantId, by, fromMs),
      settings: by.settings,
      arms: await readArms(tx, riskPrediction),
      revenue: await readRevenue(tx, riskPrediction),
    };
  });
  const all = sumUp(kept.rows);
  const channels = [...new Set(kept.rows.map(({ channel }) => channel))].filter((channel) => channel !== '').toSorted();
  return {
    ...{ fromMs, toMs, windowDays: settings.interventionWindowDays, prediction: settings.riskPrediction },
    aims: { ...aims, escalated: mostShare },
    all: { ...all, ...rateOf(all), returnOnAttributed: returnOf(all.attributed, all.cost) },
    bands: interventionBands.map((band) => bandFigures(band, sumUp(kept.rows.filter((row) => row.band === band)), arms[band], revenue)),
    channels: channels.flatMap((channel) => {
      const { actions, outcomes, cost } = sumUp(kept.rows.filter((row) => row.channel === channel));
      return actions === 0 ? [] : [{ channel, actions, outcomes, cost }];
    }),
    firstActionMs: kept.firstActionMs,
    escalations: await readEscalationShare(deps, tenantId),
  };
}

const rateOf = ({ successes, complete }: InterventionSums) => ({
  rate: complete === 0 ? null : successes / complete,
  interval: wilsonInterval(successes, complete),
});

function bandFigures(band: InterventionBand, sums: InterventionSums, arms: Arms, revenue: readonly RevenueRow[]): BandFigures {
  const { treated, holdout } = arms;
  const interval = differenceInterval(
    { people: holdout.complete, converted: holdout.stayed },
    { people: treated.complete, converted: treated.stayed },
  );
  const saved = protectedBy(band, sums.begun - sums.heldOut, arms, revenue);
  return {
    ...{ band, successMeans: successMeans[band], successAim: successAims[band], ...sums, ...rateOf(sums), arms },
    effect:
      interval === null
        ? null
        : {
            ...{ difference: treated.stayed / treated.complete - holdout.stayed / holdout.complete, interval },
            churn: { heldOut: 1 - holdout.stayed / holdout.complete, treated: 1 - treated.stayed / treated.complete },
          },
    protected: saved,
    returnOnAttributed: returnOf(sums.attributed, sums.cost),
    returnOnProtected: returnOf(saved === null ? null : saved.map(({ amount }) => amount), totalCost([sums.cost])),
  };
}

export interface RevenueRow {
  band: InterventionBand;
  arm: 'treated' | 'holdout';
  currency: string;
  /** In major units. */
  total: number;
  squares: number;
}

/** What the people of each arm bought within the horizon after their assignment, of those whose horizon is over: one sum for each person, squared as well. */
export async function readRevenue(tx: Tx, { withinDays }: Prediction): Promise<RevenueRow[]> {
  const { rows } = await tx.execute<{ band: InterventionBand; arm: 'treated' | 'holdout'; currency: string; total: number; squares: number }>(sql`
    with ${assignedPeople(withinDays)}
    select a.band, a.arm, a.currency, sum(a.amount)::float8 as total, sum(a.squares)::float8 as squares from assigned a where a.currency <> '' group by 1, 2, 3`);
  return rows;
}

/**
 * What interventions protected: how much more an account bought than one that was held out, times the accounts that got interventions. Measured over the
 * people of the last year whose horizon is over.
 */
function protectedBy(band: InterventionBand, treatedNow: number, { treated, holdout }: Arms, revenue: readonly RevenueRow[]): Protected[] | null {
  if (treated.complete < 2 || holdout.complete < 2) return null;
  const own = revenue.filter((row) => row.band === band);
  const momentsOf = (arm: 'treated' | 'holdout', currency: string, n: number): Moments => {
    const { total = 0, squares = 0 } = own.find((row) => row.arm === arm && row.currency === currency) ?? {};
    const mean = total / n;
    return { n, mean, variance: Math.max(0, squares - n * mean * mean) / (n - 1) };
  };
  return [...new Set(own.map(({ currency }) => currency))].toSorted().map((currency) => {
    const one = momentsOf('treated', currency, treated.complete);
    const other = momentsOf('holdout', currency, holdout.complete);
    const difference = one.mean - other.mean;
    // Null: everybody of an arm bought for the same, so the difference is what it is.
    const { low, high } = welch(other, one)?.interval ?? { low: difference, high: difference };
    const amount = (each: number): Amount => ({ currency, micros: BigInt(Math.round(each * treatedNow * 1_000_000)) });
    return { amount: amount(difference), low: amount(low), high: amount(high) };
  });
}
