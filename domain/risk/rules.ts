import { valueOf } from './column.ts';
import type { Features } from './example.ts';

/** A rule of thumb: a feature gives no points at `from`, all of them at `to`, and in between its share. `to` may be the lower one. */
export interface RiskRule {
  feature: string;
  from: number;
  to: number;
  points: number;
}

/** How rules rank somebody. `score` is a rank and no chance: nothing is known about how often people with such a score are lost. */
export interface RuleScore {
  /** 0 to 1: the points of all points. */
  score: number;
  /** What gave points, most first. `weight` is the share of all points; they add up to the score. */
  factors: { features: [string]; weight: number }[];
}

/** A feature that is unknown gives no points. @throws RangeError when no rule has points */
export function rankByRules(rules: readonly RiskRule[], features: Features): RuleScore {
  const all = rules.reduce((sum, { points }) => sum + points, 0);
  if (!(all > 0)) throw new RangeError('there has to be a rule with points');
  const factors = rules
    .map(({ feature, from, to, points }): RuleScore['factors'][number] => {
      const value = valueOf(features, feature);
      const reached = typeof value === 'number' ? Math.min(1, Math.max(0, (value - from) / (to - from))) : 0;
      return { features: [feature], weight: (reached * points) / all };
    })
    .filter(({ weight }) => weight > 0)
    .toSorted((a, b) => b.weight - a.weight);
  return {
    score: Math.min(
      1,
      factors.reduce((sum, { weight }) => sum + weight, 0),
    ),
    factors,
  };
}
