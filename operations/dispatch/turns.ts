import type { Clock } from '../clock.ts';

// Each that waits in the process occupies one of its activities: no more wait at once, and none for an account that is closed for longer.
const mostWaiting = 10;
const longestWaitMs = 1_000;

interface Line {
  /** When the next one may begin, monotonic. */
  freeAtMs: number;
  waiting: (() => void)[];
  timer: NodeJS.Timeout | undefined;
}

/**
 * Lets dispatches of this process through an account one after the other, no faster than its window can take them. The window itself is kept by the
 * database for all processes (`leaves_from`): this keeps dispatches that are late together from asking it all at once, in transactions that end in nothing.
 * Waiting happens before anything is locked or claimed.
 */
export class Turns {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #lines = new Map<string, Line>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /**
   * @param everyMs - at least so much between two of them
   * @returns null: it is this one's turn; else too many wait already, or for too long, and it comes again after so many milliseconds
   */
  async take(account: string, everyMs: number): Promise<number | null> {
    const line = this.#lineOf(account);
    const closedMs = Math.max(0, line.freeAtMs - this.#clock.monotonicMs());
    // By chance: those who are sent away do not come back together.
    if (line.waiting.length >= mostWaiting || closedMs > longestWaitMs) return closedMs + mostWaiting * everyMs * (1 + Math.random());
    await new Promise<void>((granted) => {
      line.waiting.push(granted);
      this.#grant(line, everyMs);
    });
    return null;
  }

  /** The database has said that the account's window has no room for so long. */
  close(account: string, forMs: number): void {
    const line = this.#lineOf(account);
    line.freeAtMs = Math.max(line.freeAtMs, this.#clock.monotonicMs() + forMs);
  }

  #lineOf(account: string): Line {
    const known = this.#lines.get(account);
    if (known !== undefined) return known;
    const made: Line = { freeAtMs: 0, waiting: [], timer: undefined };
    this.#lines.set(account, made);
    return made;
  }

  #grant(line: Line, everyMs: number): void {
    if (line.timer !== undefined) return;
    const inMs = line.freeAtMs - this.#clock.monotonicMs();
    if (inMs > 0) {
      line.timer = setTimeout(() => {
        line.timer = undefined;
        this.#grant(line, everyMs);
      }, Math.ceil(inMs));
      return;
    }
    const next = line.waiting.shift();
    if (next === undefined) return;
    line.freeAtMs = this.#clock.monotonicMs() + everyMs;
    next();
    if (line.waiting.length > 0) this.#grant(line, everyMs);
  }
}
