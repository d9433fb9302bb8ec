/** Two clocks: one that tells the time, one that only goes forward. Injected, so that tests can control them. */
export interface Clock {
  /** Epoch milliseconds, UTC. */
  nowMs(): number;
  /** Milliseconds since an arbitrary start; never jumps. */
  monotonicMs(): number;
}

export const systemClock: Clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
