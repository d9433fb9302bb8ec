import type { EpochMs } from '../sequence/plan.ts';
import { scaled } from '../sequence/time-scale.ts';

const hourMs = 3_600_000;

/** How long a person has been silent, in stages. */
export const silenceStages = ['none', '24h', '3d', '7d', '14d', '30d'] as const;
export type SilenceStage = (typeof silenceStages)[number];

/** When each stage is reached, in real time: 24 h once they are over, the others at their hour. */
const thresholds = [
  ['30d', 30 * 24 * hourMs],
  ['14d', 14 * 24 * hourMs],
  ['7d', 7 * 24 * hourMs],
  ['3d', 3 * 24 * hourMs],
  ['24h', 24 * hourMs + 1],
] as const satisfies readonly (readonly [SilenceStage, number])[];

/** After how long a stage is reached, in milliseconds of real time. */
export function silentForMs(stage: SilenceStage): number {
  return thresholds.find(([name]) => name === stage)?.[1] ?? 0;
}

/**
 * The stage of a silence.
 * @param sinceMs - the person's last sign of life
 * @param timeScale - how many times faster than wall time
 */
export function silenceStageAt(sinceMs: EpochMs, nowMs: EpochMs, timeScale: number): SilenceStage {
  const silentMs = nowMs - sinceMs;
  return thresholds.find(([, fromMs]) => silentMs >= scaled(fromMs, timeScale))?.[0] ?? 'none';
}
