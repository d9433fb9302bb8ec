/** Counted from outside, over all histories. */
export interface Counts {
  calls: number;
  texts: number;
  accepted: number;
  refused: number;
  unknown: number;
  abandoned: number;
  late_acceptances: number;
  stops: number;
  repeats: number;
  busy: number;
  merges: number;
  merges_by_lead: number;
  /** Sequences that began about a lead in the middle of a history. */
  newcomers: number;
  /** Deliveries that reached a process together, and those among them that Postgres cannot store. */
  sets: number;
  unstorable: number;
  moves: number;
  clicks: number;
  crashes: number;
  cuts: number;
  pauses: number;
  lost_commits: number;
  stored_as_pending: number;
  stretched: number;
}

export const noCounts = (): Counts => ({
  calls: 0,
  texts: 0,
  accepted: 0,
  refused: 0,
  unknown: 0,
  abandoned: 0,
  late_acceptances: 0,
  stops: 0,
  repeats: 0,
  busy: 0,
  merges: 0,
  merges_by_lead: 0,
  newcomers: 0,
  sets: 0,
  unstorable: 0,
  moves: 0,
  clicks: 0,
  crashes: 0,
  cuts: 0,
  pauses: 0,
  lost_commits: 0,
  stored_as_pending: 0,
  stretched: 0,
});
