import { isGoalChoice } from '../../domain/chat/state.ts';
import { foldWords } from '../../domain/people/fold-words.ts';
import type { RecommendationRequest, Recommender } from '../port.ts';
import type { RecommendationsCsvConfig } from './config.ts';
import { type ListedProperty, readList } from './list.ts';

/** Recommends from a list: what is for the lead's goal, in the area that they name. In the order of the list. */
export function createCsvRecommender({ csv, validHours }: RecommendationsCsvConfig): Recommender {
  const read = readList(csv, validHours * 3_600_000);
  // The configuration was checked when it was entered.
  const rows = read.ok ? read.rows : [];
  const fresh = (nowMs: number) => rows.filter(({ property }) => property.observedAtMs <= nowMs && nowMs < property.expiresAtMs);
  return {
    recommend: (request, { nowMs }) => Promise.resolve({ message: null, properties: fitting(fresh(nowMs), request).map(({ property }) => property) }),
    check(nowMs) {
      const now = fresh(nowMs).length;
      return Promise.resolve(`a list of ${rows.length} properties, of which ${now} can be stated now`);
    },
  };
}

function fitting(rows: readonly ListedProperty[], { goal, interest, area, limit }: RecommendationRequest): ListedProperty[] {
  const forGoal = rows.filter((row) => row.goal === null || goal === null || !isGoalChoice(goal) || row.goal === goal);
  // An area that the person named is asked for; without one, nothing is ruled out.
  const wanted = [area, interest, goal].filter((words) => words !== null).map(foldWords);
  const named = (row: ListedProperty) => {
    const place = row.property.area === null ? '' : foldWords(row.property.area);
    return place !== '' && wanted.some((words) => ` ${words} `.includes(` ${place} `));
  };
  const there = forGoal.filter(named);
  return (there.length > 0 || area !== null ? there : forGoal).slice(0, limit);
}
