import type { EpochMs } from '../sequence/plan.ts';
import { scaled } from '../sequence/time-scale.ts';

const hourMs = 3_600_000;

/** How long a person has been silent, in stages. */
export const silenceStages = ['none', '24h', '3d', '7d', '14d', '30d'] as const;
export type SilenceStage = (typeof silenceStages)[number];
/** A stage that a silence reaches. */
export type ReachedStage = Exclude<SilenceStage, 'none'>;
export const reachedStages = silenceStages.filter((stage): stage is ReachedStage => stage !== 'none');

/** After how many hours of silence each stage is reached, in real time (setting `silenceHours`). */
export type SilenceHours = Readonly<Record<ReachedStage, number>>;
export const usualSilenceHours: SilenceHours = { '24h': 24, '3d': 3 * 24, '7d': 7 * 24, '14d': 14 * 24, '30d': 30 * 24 };

/** After how long a stage is reached, in milliseconds of real time: `24h` once they are over, the others at their hour. */
export function silentForMs(stage: SilenceStage, hours: SilenceHours = usualSilenceHours): number {
  if (stage === 'none') return 0;
  return hours[stage] * hourMs + (stage === '24h' ? 1 : 0);
}

/**
 * The stage of a silence: the highest one reached, so one that is found late enters there.
 * @param sinceMs - the last contact
 * @param timeScale - how many times faster than wall time
 */
export function silenceStageAt(sinceMs: EpochMs, nowMs: EpochMs, timeScale: number, hours: SilenceHours = usualSilenceHours): SilenceStage {
  const silentMs = nowMs - sinceMs;
  // Scaled first: at any scale `24h` is reached beyond its time, not at it.
  const reachedAfterMs = (stage: ReachedStage) => scaled(hours[stage] * hourMs, timeScale) + (stage === '24h' ? 1 : 0);
  return reachedStages.findLast((stage) => silentMs >= reachedAfterMs(stage)) ?? 'none';
}
