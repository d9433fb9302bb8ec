import { WaitingInTurn } from './in-turn.ts';

/** A claim that reaches its call within this shows that there is time for another beside it. */
const quickMs = 20;
/** One that takes longer than this shows that there is not. */
const slowMs = 40;
/** So many quick ones in a row open another slot. */
const inARow = 50;
/** A slot held for longer, behind a lock or a slow database, no longer counts: another is opened, up to the maximum. */
const heldUpMs = 100;

/**
 * Limits how many dispatches of a process stand between their claim and their call. Without it, a worker with a backlog could claim far more steps
 * than it can send at once, and each of them would stay `unknown` if the worker died, because nobody could know that its call had not begun. Waiting
 * for a slot happens before the claim, so it uses up no lease.
 *
 * It begins with one slot: what other dispatches compute meanwhile is added to the time that a claim stands without its call. Where that time is
 * short, because a dispatch waits for a distant database and not for the processor, more slots are opened. Whoever is held up opens one for another.
 */
export class ClaimSlots {
  readonly #most: number;
  #slots: number;
  #taken = 0;
  /** Of those, how many are held up. */
  #heldUp = 0;
  #quick = 0;
  readonly #waiting = new WaitingInTurn<() => void>();

  constructor(most = 3, first = 1) {
    this.#most = most;
    this.#slots = Math.min(first, most);
  }

  /**
   * @param tenantId - the stores are given slots in turn, so that a backlog of one holds up no other
   * @returns gives the slot back; further calls do nothing
   */
  async take(tenantId: string): Promise<() => void> {
    if (this.#taken < this.#open()) this.#taken++;
    else await new Promise<void>((granted) => this.#waiting.push(tenantId, granted));
    let [held, heldUp] = [true, false];
    const timer = setTimeout(() => {
      heldUp = true;
      this.#heldUp++;
      this.#grant();
    }, heldUpMs).unref();
    return () => {
      if (!held) return;
      held = false;
      clearTimeout(timer);
      if (heldUp) this.#heldUp--;
      this.#taken--;
      this.#grant();
    };
  }

  /** How long a claim stood before its call began. @param ms - monotonic */
  noteCall(ms: number): void {
    this.#quick = ms <= quickMs ? this.#quick + 1 : 0;
    if (ms > slowMs) this.#slots = Math.max(1, this.#slots - 1);
    if (this.#quick < inARow || this.#slots === this.#most) return;
    this.#quick = 0;
    this.#slots++;
    this.#grant();
  }

  #open(): number {
    return Math.min(this.#most, this.#slots + this.#heldUp);
  }

  #grant(): void {
    while (this.#taken < this.#open()) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#taken++;
      next();
    }
  }
}
