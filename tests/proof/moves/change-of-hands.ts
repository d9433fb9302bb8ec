import { subjects } from '../subjects/index.ts';
import type { MoveRecord } from '../observer.ts';
import type { Move } from './move.ts';

/** The first subject is reported again, with somebody else's address. */
export const changeOfHands: Move = {
  weight: () => 0,
  make(stage) {
    const { people, plan } = stage;
    const record: MoveRecord = { run: 0, to: people.nameOf(1), sentMs: performance.now(), answeredMs: null };
    stage.seen.moves.push(record);
    stage.counts.moves += 1;
    const { type, report } = subjects[plan.subjects[0]];
    return {
      kind: 'delivery',
      type,
      data: report(people.token(0), people.contact(record.to)),
      // A little newer than the subject's last event, and old enough that nobody is on the site.
      atMs: Date.now() - 400,
      isStop: false,
      answered: (atMs) => void (record.answeredMs ??= atMs),
    };
  },
};
