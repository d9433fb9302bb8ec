import { grouped } from './grouped.ts';
import type { Interval } from './interval.ts';
import { z95 } from './normal.ts';
/** Somebody who was watched from the beginning, until something happened or until now. */
export interface Course {
  /** How long, from 0 on, in any unit. */
  time: number;
  /** What ended it; null: nothing yet. */
  cause: string | null;
  /** How many had this same course; 1 where it is absent. */
  people?: number;
}

/** What had become of them by a time. */
export interface Incidence {
  time: number;
  /** How many were still watched, and without an end, just before. */
  atRisk: number;
  /** The share without an end. */
  free: number;
  /** By cause: the share that it had ended, and the standard error of that. */
  ended: Record<string, { share: number; error: number }>;
}

/**
 * The share that each of several ends has come to, by time, with those who are still on their way counted for as long as they were watched. 1 − Kaplan–Meier would
 * treat those who ended otherwise as if they could still convert, and claim too much.
 * @returns one row for each time at which somebody ended, ascending
 * Source: Aalen and Johansen, 1978; Putter, Fiocco and Geskus, Tutorial in biostatistics: competing risks and multi-state models, 2007. The standard error is
 * Aalen’s, by the delta method.
 */
export function competingRisks(courses: readonly Course[]): Incidence[] {
  const causes = [...new Set(courses.flatMap(({ cause }) => (cause === null ? [] : [cause])))].toSorted();
  const times = [...grouped(courses, ({ time }) => time)].toSorted(([a], [b]) => a - b);
  const count = (some: readonly Course[]) => some.reduce((sum, { people = 1 }) => sum + people, 0);
  let atRisk = count(courses);
  let free = 1;
  const sofar = new Map(causes.map((cause) => [cause, { share: 0, steps: [] as Step[] }]));
  const rows: Incidence[] = [];
  for (const [time, ending] of times) {
    const ends = count(ending.filter(({ cause }) => cause !== null));
    if (ends > 0) {
      for (const [cause, kept] of sofar) {
        const own = count(ending.filter((course) => course.cause === cause));
        kept.share += (free * own) / atRisk;
        kept.steps.push({ atRisk, ends, own, freeBefore: free, share: kept.share });
      }
      free *= 1 - ends / atRisk;
      const ended = Object.fromEntries([...sofar].map(([cause, { share, steps }]) => [cause, { share, error: Math.sqrt(varianceOf(steps, share)) }]));
      rows.push({ time, atRisk, free, ended });
    }
    atRisk -= count(ending);
  }
  return rows;
}

interface Step {
  atRisk: number;
  ends: number;
  own: number;
  freeBefore: number;
  share: number;
}

/** Source: Marubini and Valsecchi, Analysing survival data from clinical trials and observational studies, 1995, 10.2 */
function varianceOf(steps: readonly Step[], share: number): number {
  return steps.reduce((sum, { atRisk, ends, own, freeBefore, share: by }) => {
    const away = share - by;
    const [first, second] = [
      atRisk > ends ? (away * away * ends) / (atRisk * (atRisk - ends)) : 0,
      (freeBefore ** 2 * own * (atRisk - own)) / atRisk ** 3,
    ];
    return sum + first + second - (2 * away * freeBefore * own) / atRisk ** 2;
  }, 0);
}

/**
 * The 95 % interval of a share that an end had come to, on the logarithm of its logarithm: it stays between 0 and 1.
 * Source: Choudhury, Non-parametric confidence interval estimation for competing risks analysis, 2002
 */
export function incidenceInterval({ share, error }: { share: number; error: number }): Interval | null {
  if (!(share > 0 && share < 1)) return null;
  const reach = (z95 * error) / (share * Math.log(share));
  return { low: share ** Math.exp(-reach), high: share ** Math.exp(reach) };
}

/** The mean time without an end within `horizon`: the area below `free`. */
export function restrictedMean(rows: readonly Incidence[], horizon: number): number {
  let [area, at, free] = [0, 0, 1];
  for (const row of rows) {
    if (row.time >= horizon) break;
    area += free * (row.time - at);
    [at, free] = [row.time, row.free];
  }
  return area + free * (horizon - at);
}

/** By when a share of all had come to an end; null: fewer have. */
export function timeByWhich(rows: readonly Incidence[], cause: string, share: number): number | null {
  return rows.find(({ ended }) => (ended[cause]?.share ?? 0) >= share)?.time ?? null;
}

/** One step of a sequence, counted in enrollments that reached it. */
export interface FunnelStep {
  entered: number;
  converted: number;
  /** Ended here otherwise. */
  left: number;
}

/** Of each step: the share of those who reached it that converted there, and what had converted in all by then. */
export function stepFunnel(steps: readonly FunnelStep[]): { hazard: number; cumulative: number; remaining: number }[] {
  let [free, cumulative] = [1, 0];
  return steps.map(({ entered, converted, left }) => {
    const hazard = entered === 0 ? 0 : converted / entered;
    cumulative += free * hazard;
    free *= entered === 0 ? 1 : 1 - (converted + left) / entered;
    return { hazard, cumulative, remaining: entered - converted - left };
  });
}
