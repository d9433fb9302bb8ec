import { sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { type Amount, decimalOf, microsOf } from '../../domain/interventions/amount.ts';
import type { InterventionCosts } from '../../domain/interventions/cost.ts';
import { type Effect, stakeOf } from '../../domain/interventions/worth.ts';
import type { InterventionBand } from '../../domain/risk/band-move.ts';
import type { Behaviour } from '../../domain/risk/behaviour.ts';
import type { Prediction } from '../../domain/risk/outcome.ts';
import type { TenantSettings } from '../../domain/tenant-settings.ts';
import { assignedPeople } from './assigned-people.ts';

/** What an intervention was expected to be worth when it began. Kept with its story, so that a later price changes nothing about it. */
export interface Worth {
  stake: Amount[];
  effect: Effect | null;
  costs: InterventionCosts;
}

/** As it is stored. */
export interface StoredWorth {
  stake: { amount: string; currency: string }[];
  effect: Effect | null;
  costs: InterventionCosts;
}

/** An effect is believed from so many people on, in either arm. */
const fewestInArm = 50;

/** People of one arm whose horizon is over, and how many of their accounts stayed. */
export interface ArmCount {
  complete: number;
  stayed: number;
}
export type Arms = Record<'treated' | 'holdout', ArmCount>;

/**
 * Of the people who were assigned to an arm of the sequences of each band within a year: those whose horizon is over, and how many of their accounts did
 * what is predicted not to happen.
 */
export async function readArms(tx: Tx, { withinDays }: Prediction): Promise<Record<InterventionBand, Arms>> {
  const { rows } = await tx.execute<{ band: InterventionBand; arm: 'treated' | 'holdout'; complete: number; stayed: number }>(sql`
    with ${assignedPeople(withinDays)}
    select a.band, a.arm, sum(a.people)::int as complete, sum(a.converted)::int as stayed from assigned a where a.currency = '' group by 1, 2`);
  const of = (band: InterventionBand, arm: 'treated' | 'holdout'): ArmCount => {
    const { complete = 0, stayed = 0 } = rows.find((row) => row.band === band && row.arm === arm) ?? {};
    return { complete, stayed };
  };
  const both = (band: InterventionBand): Arms => ({ treated: of(band, 'treated'), holdout: of(band, 'holdout') });
  return { early: both('early'), active: both('active'), critical: both('critical') };
}

/** What an intervention of a band is taken to do: as it was measured against people who were held out, else as the store assumes. */
function effectOf(band: InterventionBand, { treated, holdout }: Arms, assumed: TenantSettings['interventionEffects']): Effect | null {
  if (treated.complete >= fewestInArm && holdout.complete >= fewestInArm)
    return { share: treated.stayed / treated.complete - holdout.stayed / holdout.complete, from: 'measured' };
  const share = assumed[band];
  return share === null ? null : { share, from: 'assumed' };
}

/** What an intervention that begins now is expected to be worth. */
export function worthOf(
  arms: Awaited<ReturnType<typeof readArms>>,
  settings: TenantSettings,
  { band, history, atMs }: { band: InterventionBand; history: readonly Behaviour[]; atMs: number },
): StoredWorth {
  const { riskPrediction, interventionEffects, interventionCosts: costs } = settings;
  const stake = stakeOf(history, atMs, riskPrediction).map((amount) => ({ amount: decimalOf(amount), currency: amount.currency }));
  return { stake, effect: effectOf(band, arms[band], interventionEffects), costs };
}

/** @returns null where none was stored: it was begun by hand, or before there was one */
export function readWorth(stored: unknown): Worth | null {
  if (typeof stored !== 'object' || stored === null || !('stake' in stored) || !('costs' in stored)) return null;
  const { stake, effect, costs } = stored as StoredWorth;
  return { stake: stake.flatMap(({ amount, currency }) => amountsOf(amount, currency)), effect, costs };
}

function amountsOf(amount: string, currency: string): Amount[] {
  const micros = microsOf(amount);
  return micros === null ? [] : [{ currency, micros }];
}
