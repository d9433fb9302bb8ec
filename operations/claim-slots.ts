/**
 * Limits how many dispatches of a process stand between their claim and their call. A worker that takes up a backlog could else claim far more
 * steps than it can hand over at once, and each of them would be `unknown` for good if the worker died: nobody could say that its call had
 * not begun. Waiting for a slot costs nothing but time before the claim.
 */
export class ClaimSlots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(most = 8) {
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
