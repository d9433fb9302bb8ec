/**
 * Limits how many dispatches of a process stand between their claim and their call. Without it, a worker with a backlog could claim far more steps
 * than it can send at once, and each of them would stay `unknown` if the worker died, because nobody could know that its call had not begun. Waiting
 * for a slot happens before the claim, so it uses up no lease.
 */
export class ClaimSlots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(most = 3) {
    this.#free = most;
  }

  /** @returns gives the slot back; further calls do nothing */
  async take(): Promise<() => void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((granted) => this.#waiting.push(granted));
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    };
  }
}
