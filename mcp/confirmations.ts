/** What a token stands for: one action with exactly these arguments, as it was described to the caller. */
interface Pending {
  owner: string;
  action: string;
  /** What was seen when the action was described, such as the version in use: the action is done over that and nothing newer. */
  seen: unknown;
  expiresAtMs: number;
}

/** Thrown when a token does not allow the action: nothing was done. */
export class NotConfirmedError extends Error {
  override readonly name = 'NotConfirmedError';
}

const lifeMs = 5 * 60_000;
/** Nobody has so many unanswered questions; a caller that asks without end pushes out its own. */
const mostPending = 1_000;

/**
 * Tokens by which an action that was described is confirmed: for one caller, one action, once, within five minutes. They live in this process: a
 * process that ends, or another one behind the same address, knows none of them, and the action is described anew.
 */
export class Confirmations {
  readonly #pending = new Map<string, Pending>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = Date.now) {
    this.#nowMs = nowMs;
  }

  /** @param owner - whose token it is; another caller cannot use it */
  issue(owner: string, action: string, seen: unknown): { token: string; expiresAt: string } {
    const nowMs = this.#nowMs();
    for (const [token, { expiresAtMs }] of this.#pending) if (expiresAtMs <= nowMs) this.#pending.delete(token);
    const [oldest] = this.#pending.keys();
    if (this.#pending.size >= mostPending && oldest !== undefined) this.#pending.delete(oldest);
    const token = crypto.randomUUID();
    const expiresAtMs = nowMs + lifeMs;
    this.#pending.set(token, { owner, action, seen, expiresAtMs });
    return { token, expiresAt: new Date(expiresAtMs).toISOString() };
  }

  /**
   * Use a token up, whether it fits or not.
   * @returns what was seen when it was issued
   * @throws NotConfirmedError
   */
  take(token: string, owner: string, action: string): unknown {
    const found = this.#pending.get(token);
    // Somebody else's token stays theirs.
    if (found === undefined || found.owner !== owner)
      throw new NotConfirmedError('This token is not known: it was used, or comes from elsewhere. Call without a token for a new one.');
    this.#pending.delete(token);
    if (found.expiresAtMs <= this.#nowMs()) throw new NotConfirmedError('This token has expired. Call without a token for a new one.');
    if (found.action !== action)
      throw new NotConfirmedError('This token is for another action, or for other arguments. Call without a token for a new one.');
    return found.seen;
  }
}
