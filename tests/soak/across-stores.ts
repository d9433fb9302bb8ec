import type { Stop } from './coverage.ts';
import { subjectOf } from './shopper.ts';
import type { Witnessed } from './witnessed.ts';

/**
 * Answered stops that met a running sequence about the same address in another store, which went on: what is said in one store is nothing
 * that the others know. (One that ended instead ended without anything that its own shop was told, which is a violation.)
 */
export function countSpared({ shoppers, enrollments }: Pick<Witnessed, 'shoppers' | 'enrollments'>, stops: readonly Stop[]): number {
  return stops
    .flatMap((stop) => {
      const stopped = shoppers.find((s) => s.name === stop.shopper);
      const twins = shoppers.filter(
        (s) => stopped !== undefined && s.store !== stopped.store && s.addresses.some((a) => stopped.addresses.includes(a)),
      );
      return twins.map((twin) => ({
        stop,
        subjects: new Set(twin.deliveries.map(({ event }) => subjectOf(event))),
      }));
    })
    .reduce(
      (sum, { stop, subjects }) =>
        sum + enrollments.filter((e) => subjects.has(e.subject) && e.enrolledMs < stop.sentMs && (e.endedMs ?? Infinity) > stop.answeredMs).length,
      0,
    );
}
