import type { Clock } from '../clock.ts';

/**
 * Lets work that can wait give way to deliveries that arrive faster than they can be applied, but never for longer than `mostMs` in a row: what
 * comes in without an end must not hold it up without an end.
 */
export class GivingWay {
  readonly #mostMs: number;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #sinceMs: number | null = null;

  constructor(clock: Pick<Clock, 'monotonicMs'>, mostMs: number) {
    this.#clock = clock;
    this.#mostMs = mostMs;
  }

  /** Whether to wait now. @param flooded - whether there is something to give way to */
  asked(flooded: boolean): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (!flooded) this.#sinceMs = null;
    else this.#sinceMs ??= nowMs;
    return this.#sinceMs !== null && nowMs - this.#sinceMs < this.#mostMs;
  }
}
