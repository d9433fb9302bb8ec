import type { readArms } from '../interventions/worth.ts';
import type { AssessmentView, Champion } from './assessment.ts';

const keptMs = 5 * 60_000;
/** The effect is measured over a year: within a minute it changes by next to nothing. */
const armsKeptMs = 60_000;
const mostKept = 20_000;
const mostModels = 200;

/** Where an assessment came from: this process, the database, or it was made. */
export const assessmentSources = ['cache', 'stored', 'computed'] as const;
export type AssessmentSource = (typeof assessmentSources)[number];

type BandArms = Awaited<ReturnType<typeof readArms>>;

/** What one process remembers of assessments for five minutes, of the effect of interventions for one, and of models for as long as they are used. Without it the database answers. */
export class RiskCache {
  #assessments = new Map<string, { view: AssessmentView; untilMs: number }>();
  #models = new Map<string, Champion>();
  #arms = new Map<string, { arms: BandArms; untilMs: number }>();
  /** How often assessments that were asked for came from where, since this process began. */
  readonly answered: Record<AssessmentSource, number> = { cache: 0, stored: 0, computed: 0 };

  /** @param nowMs - monotonic */
  get(tenantId: string, accountId: string, nowMs: number): AssessmentView | null {
    const kept = this.#assessments.get(`${tenantId} ${accountId}`);
    return kept !== undefined && kept.untilMs > nowMs ? kept.view : null;
  }

  /** @param ageMs - how old it is already */
  keep(tenantId: string, view: AssessmentView, nowMs: number, ageMs = 0): void {
    const key = `${tenantId} ${view.accountId}`;
    // Taken out first: the map is in the order in which its entries expire, but for those that were stored for a while.
    this.#assessments.delete(key);
    this.#assessments.set(key, { view, untilMs: nowMs + keptMs - ageMs });
    for (const oldest of this.#assessments.keys()) {
      if (this.#assessments.size <= mostKept) break;
      this.#assessments.delete(oldest);
    }
  }

  drop(tenantId: string, accountId: string): void {
    this.#assessments.delete(`${tenantId} ${accountId}`);
  }

  /**
   * What became of the people of each band, as it was counted within the last minute, else as it is counted now: a portfolio begins thousands of interventions, and each counts for the
   * figures, so that counting for every few of them takes longer each time.
   * @param by - what it is counted by
   * @param nowMs - monotonic
   */
  async arms(tenantId: string, by: string, nowMs: number, count: () => Promise<BandArms>): Promise<BandArms> {
    const key = `${tenantId} ${by}`;
    const kept = this.#arms.get(key);
    if (kept !== undefined && kept.untilMs > nowMs) return kept.arms;
    const arms = await count();
    if (this.#arms.size >= mostModels) this.#arms.clear();
    this.#arms.set(key, { arms, untilMs: nowMs + armsKeptMs });
    return arms;
  }

  model(id: string): Champion | null {
    return this.#models.get(id) ?? null;
  }

  keepModel(champion: Champion): void {
    if (this.#models.size >= mostModels) this.#models.clear();
    this.#models.set(champion.id, champion);
  }
}

/** How old an assessment may be that answers a question. */
export const assessmentKeptMs = keptMs;
