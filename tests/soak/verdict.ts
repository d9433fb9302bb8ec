/**
 * `G1`: a second copy. `G2`: a message after an answered stop. `G3`: an acknowledged stop without effect. `G10`: one store did what is another's. `LOST`: a cart, lead or message that nothing
 * explains the absence of. `TRUTH`: the product says something else than the far end. `STUCK`: what should have ended has not.
 * `ANSWER`: one that docs/webhooks.md does not know. `PROCESS`: one that ended by itself. `GROWTH`: memory, files or sessions.
 */
export type ViolationKind = 'G1' | 'G2' | 'G3' | 'G10' | 'LOST' | 'TRUTH' | 'STUCK' | 'ANSWER' | 'PROCESS' | 'GROWTH';

export interface Violation {
  kind: ViolationKind;
  /** The cart or lead; null: of none in particular. */
  subject: string | null;
  text: string;
}

export interface Verdict {
  violations: Violation[];
  /** What became of every cart and every lead, in words; the sum is their number. */
  subjects: Record<string, number>;
  /** Emails, texts and calls of all sequences by what the product says became of them. */
  messages: Record<string, number>;
  /** Why the outcome of a message is not known, and whether the far end had accepted it. */
  unknown: Record<string, number>;
  /** Why a message that nobody stopped was not sent. */
  unsent: Record<string, number>;
  stops: {
    /** Answered stops, once for each cart or lead that they certainly cover. */
    judged: number;
    /** Covered messages that were accepted between the first attempt at a stop and its 2xx: how often they met. */
    met: number;
    /** Sequences of other stores about the same address that went on when a stop was answered. */
    spared: number;
    /** Messages after a stop whose worker was stopped by a signal meanwhile, which assumption (a) excludes. */
    beyondAssumption: number;
  };
}

export function emptyVerdict(): Verdict {
  return { violations: [], subjects: {}, messages: {}, unknown: {}, unsent: {}, stops: { judged: 0, met: 0, spared: 0, beyondAssumption: 0 } };
}

export function count(counts: Record<string, number>, what: string): void {
  counts[what] = (counts[what] ?? 0) + 1;
}

/** An instant of the run for people. */
export const at = (runMs: number | null) => (runMs === null ? 'no time' : `${(runMs / 1_000).toFixed(3)} s`);
