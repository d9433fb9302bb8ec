import { setTimeout as sleep } from 'node:timers/promises';

/** The observer's clock: milliseconds since the run began, monotonic. All records of a run are on it. */
export interface RunClock {
  nowMs(): number;
  /** Epoch milliseconds of an instant of this clock, and back. */
  toWallMs(runMs: number): number;
  ofWallMs(wallMs: number): number;
  until(runMs: number): Promise<void>;
}

export function startRunClock(): RunClock {
  const startedMs = performance.now();
  const wallStartedMs = Date.now();
  const nowMs = () => performance.now() - startedMs;
  return {
    nowMs,
    toWallMs: (runMs) => wallStartedMs + runMs,
    ofWallMs: (wallMs) => wallMs - wallStartedMs,
    until: (runMs) => sleep(Math.max(0, runMs - nowMs())),
  };
}
