import { type Fact, type FactKindName, type FactOf, isFresh } from '../facts/index.ts';
import type { EpochMs } from '../sequence/plan.ts';
import type { ClaimableProduct, ClaimSubject } from './claimable.ts';

/** What a claim is judged by. */
export interface ClaimWorld extends ClaimSubject {
  /** Of each kind and subject the latest, and what the subject itself says. */
  facts: readonly Fact[];
  /** What prices were when it was left. */
  before: readonly FactOf<'price'>[];
  /** Units at or below which stock is low, and the mean rating from which reviews are shown. */
  thresholds: { lowStockAt: number; reviewsFrom: number };
}

/** `unknown`: no source has stated it. `stale`: stated for an earlier or a later time. `untrue`: the stated fact says otherwise. */
export type NotClaimed = 'unknown' | 'stale' | 'untrue';

/** What a claim comes to. `why` is a clause for people that completes "it is not claimed: …", or "claimed: …". */
export type Claimed<V> = { holds: true; fact: Fact; why: string; value: V } | { holds: false; fact: Fact | null; why: string; reason: NotClaimed };

/** A kind of claim, such as few in stock. One file here and one line in `domain/claims/index.ts`. */
export interface ClaimKind<N extends string, V> {
  /** As copy names it: `{% claim stock %}`. */
  name: N;
  /** What it rests on. */
  rests: readonly FactKindName[];
  /** Pure: the same world and clock give the same answer. */
  judge(world: ClaimWorld, nowMs: EpochMs): Claimed<V>;
}

/** The latest fact about a product, under any of its ids; of one instant, that of its variant. */
export function factAbout<K extends FactKindName>(facts: readonly Fact[], kind: K, { ids }: Pick<ClaimableProduct, 'ids'>): FactOf<K> | null {
  const found = latest(ids.flatMap((id) => facts.filter((fact) => fact.kind === kind && fact.subject === id)));
  // The filter has left only this kind.
  return found as FactOf<K> | null;
}

/** By time of observation; of one instant, the one that stands first. */
export function latest<F extends Pick<Fact, 'observedAtMs'>>(facts: readonly F[]): F | null {
  return facts.reduce<F | null>((best, fact) => (best === null || fact.observedAtMs > best.observedAtMs ? fact : best), null);
}

const order: readonly NotClaimed[] = ['unknown', 'stale', 'untrue'];

/** The answer for several things, one of which is enough: the best that holds, else what came nearest. @param better - whether the second is to be preferred */
export function anyOf<V>(answers: readonly Claimed<V>[], nothing: string, better: (best: V, other: V) => boolean = () => false): Claimed<V> {
  let best: Claimed<V> = answers[0] ?? { holds: false, fact: null, why: nothing, reason: 'unknown' };
  for (const answer of answers) {
    if (answer.holds) {
      if (!best.holds || better(best.value, answer.value)) best = answer;
    } else if (!best.holds && order.indexOf(answer.reason) > order.indexOf(best.reason)) best = answer;
  }
  return best;
}

/** The answer where a fact may not be stated now; null: it may. */
export function unlessFresh(fact: Fact, nowMs: EpochMs): Claimed<never> | null {
  if (isFresh(fact, nowMs)) return null;
  const why = fact.observedAtMs > nowMs ? 'what is known of it is not true yet' : 'what is known of it is too old';
  return { holds: false, fact, why, reason: 'stale' };
}
