import { quantile } from '../measure.ts';

/** Something that took `tookMs` from the moment it should have happened. Epoch milliseconds. */
export interface Happening {
  shouldAtMs: number;
  tookMs: number;
}

export interface Dip {
  /** How many were held up. */
  late: number;
  worstMs: number;
  /** From the fault until the last one that was held up had happened; 0: none was. */
  overAfterMs: number;
}

/** The limit of what counts as undisturbed: the p99 before the faults, plus a second for a busy machine. */
export function usualMs(happenings: readonly Happening[], beforeMs: number): number {
  const quiet = happenings.filter(({ shouldAtMs }) => shouldAtMs < beforeMs).map(({ tookMs }) => tookMs);
  return (quiet.length === 0 ? 0 : quantile(quiet, 0.99)) + 1_000;
}

/**
 * What one of several faults held up. A late happening belongs to the first fault between its time and its happening; where there was
 * none, to the last one before it.
 * @param faultsMs - in order, epoch milliseconds
 */
export function dipOf(happenings: readonly Happening[], faultsMs: readonly number[], index: number, limitMs: number): Dip {
  const held = happenings.filter((happening) => happening.tookMs > limitMs && causeOf(happening, faultsMs) === index);
  return {
    late: held.length,
    worstMs: Math.max(0, ...held.map(({ tookMs }) => tookMs)),
    overAfterMs: Math.max(0, ...held.map(({ shouldAtMs, tookMs }) => shouldAtMs + tookMs - (faultsMs[index] ?? 0))),
  };
}

function causeOf({ shouldAtMs, tookMs }: Happening, faultsMs: readonly number[]): number {
  const meanwhile = faultsMs.findIndex((faultMs) => faultMs >= shouldAtMs && faultMs <= shouldAtMs + tookMs);
  return meanwhile >= 0 ? meanwhile : faultsMs.findLastIndex((faultMs) => faultMs < shouldAtMs);
}
