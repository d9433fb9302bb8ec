import { afterStop, secondCopies } from '../../tests/chaos/promises.ts';

/** One cart as the shop knows it: when its events were answered 2xx, epoch milliseconds. */
export interface ShopCart {
  id: string;
  email: string;
  postedAtMs: number;
  /** null: never acknowledged, so nothing is guaranteed. */
  ackedAtMs: number | null;
  /** A purchase, reply or opt-out that was posted; `ackedAtMs` null: without an answer, it may hold or not. */
  stop: { ackedAtMs: number | null } | null;
}

/** An email that the mail server accepted, by its own record. */
export interface TakenMail {
  to: string;
  stepId: string;
  atMs: number;
}

/** One enrollment, as the product reports it. */
export interface LedgerEntry {
  cartId: string;
  /** Epoch milliseconds; null: it runs. */
  endedAtMs: number | null;
  /** Why it was stopped; null: it was not. */
  endedBy: string | null;
  /** By step id. */
  messages: Map<string, LedgerMessage>;
}

export interface LedgerMessage {
  state: string;
  live: boolean;
  /** Why it was skipped; null: it was not. */
  reason: string | null;
  settledAtMs: number | null;
}

/** The sequence's times, in milliseconds of wall time. */
export interface Promised {
  /** Emails by step id, counted from the cart's event. */
  dueAfterMs: ReadonlyMap<string, number>;
  /** A step is never too old before it is this late. */
  lifeMs: number;
  /** A cart is never too old for the sequence before this age. */
  maxAgeMs: number;
}

export interface Account {
  /** Carts that were answered 2xx and have no enrollment, or more than one. */
  lost: string[];
  /** A step that a person got twice. */
  duplicates: string[];
  /** Taken after the stop was answered 2xx. */
  afterStop: string[];
  /** A step that should have gone out and did not, or of which ledger and mail server say different things. */
  unaccounted: string[];
  /** Not over, although everything is. */
  stuck: string[];
  /** Steps whose worker died between claim and outcome: shown as unknown, never sent again. Allowed, and counted. */
  unknown: number;
  /** Steps that came so late that a stated rule skipped them. Allowed, and counted. */
  tooLate: number;
}

/** Compare the two outside records (the shop's answers, the mail server's) with each other and with the ledger. */
export function settleAccounts(carts: readonly ShopCart[], mails: readonly TakenMail[], ledger: readonly LedgerEntry[], promised: Promised): Account {
  const account: Account = { lost: [], duplicates: [], afterStop: [], unaccounted: [], stuck: [], unknown: 0, tooLate: 0 };
  const mailsTo = grouped(mails, (mail) => mail.to);
  const entriesOf = grouped(ledger, (entry) => entry.cartId);
  for (const cart of carts) {
    const taken = grouped(mailsTo.get(cart.email) ?? [], (mail) => mail.stepId);
    for (const [stepId, copies] of secondCopies(mailsTo.get(cart.email) ?? [], (mail) => mail.stepId))
      account.duplicates.push(`${cart.id} ${stepId}: ${copies.length} times`);
    for (const [stepId, copies] of taken) {
      const lateMs = afterStop(Math.max(...copies.map((copy) => copy.atMs)), cart.stop?.ackedAtMs ?? null);
      if (lateMs !== null) account.afterStop.push(`${cart.id} ${stepId}: ${lateMs} ms after the answer`);
    }
    const entries = entriesOf.get(cart.id) ?? [];
    if (cart.ackedAtMs !== null && entries.length !== 1) account.lost.push(`${cart.id}: ${entries.length} enrollments`);
    for (const entry of entries) {
      if (entry.endedAtMs === null) account.stuck.push(`${cart.id}: its enrollment has not ended`);
      for (const [stepId, dueAfterMs] of promised.dueAfterMs) {
        const message = entry.messages.get(stepId);
        if (message?.live === true || message?.state === 'claimed') account.stuck.push(`${cart.id} ${stepId}: ${message.state}`);
        const found = judge(message, taken.has(stepId), cart.stop !== null, isTooLate(cart, entry, message, dueAfterMs, promised));
        if (found === 'unknown') account.unknown += 1;
        else if (found === 'too_late') account.tooLate += 1;
        else if (found !== null)
          account.unaccounted.push(`${cart.id} ${stepId}: ${found}${entry.endedBy === null ? '' : `; ended by ${entry.endedBy}`}`);
      }
    }
  }
  return account;
}

/** @returns null where it is correct; else what is allowed and counted, or what is wrong */
function judge(message: LedgerMessage | undefined, taken: boolean, stopped: boolean, tooLate: boolean): string | null {
  const state = message?.state ?? 'nothing';
  if (state === 'unknown') return 'unknown';
  if (taken) return state === 'sent' ? null : `taken, but the ledger says ${state}`;
  if (state === 'sent') return 'sent by the ledger, never taken';
  if (stopped) return null;
  return tooLate ? 'too_late' : `not taken, and the ledger says ${state}${message?.reason == null ? '' : ` (${message.reason})`}`;
}

// A deferral that would end too late is skipped some seconds before it is.
const foresightMs = 10_000;

/** Whether `too_old` is true by the shop's clock. */
function isTooLate(
  cart: ShopCart,
  entry: LedgerEntry,
  message: LedgerMessage | undefined,
  dueAfterMs: number,
  { lifeMs, maxAgeMs }: Promised,
): boolean {
  const ageMs = (atMs: number | null | undefined) => (atMs ?? cart.postedAtMs) - cart.postedAtMs + foresightMs;
  if (message?.reason === 'too_old') return ageMs(message.settledAtMs) >= dueAfterMs + lifeMs;
  return entry.endedBy === 'expired' && ageMs(entry.endedAtMs) >= maxAgeMs;
}

function grouped<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const group = groups.get(keyOf(value)) ?? [];
    group.push(value);
    groups.set(keyOf(value), group);
  }
  return groups;
}
