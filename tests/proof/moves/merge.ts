import { subjects } from '../subjects/index.ts';
import type { MergeRecord } from '../observer.ts';
import type { HistoryStage } from '../stage.ts';
import type { Delivered, Move } from './move.ts';

// Two persons turn out to be one: an event names something of each.

function noteMerge(stage: HistoryStage): MergeRecord {
  const record: MergeRecord = { addresses: [stage.people.nameOf(0), stage.people.secondName()], answeredMs: null };
  stage.seen.merges.push(record);
  stage.counts.merges += 1;
  return record;
}

/** The first person's address, and what the second alone is known by. */
const both = ({ people }: HistoryStage) => ({ ...people.contact(people.nameOf(0)), ...people.contact(people.secondName()) });

/** Not now: somebody who is on the site is not disturbed. Newer than what the history began with. */
const aMomentAgo = () => Date.now() - 400;

/** The shop's record of a customer tells it. */
export const mergeByContact: Move = {
  weight: () => 0,
  make(stage): Delivered {
    const record = noteMerge(stage);
    const answered = (atMs: number) => void (record.answeredMs ??= atMs);
    return { kind: 'delivery', type: 'contact.updated', data: { contact: both(stage) }, atMs: Date.now(), isStop: false, answered };
  },
};

/** A form tells it: of the lead that there is already, or of a new one, about which a sequence of its own begins. */
export const mergeByLead: Move = {
  weight: () => 0,
  make(stage, _, name): Delivered {
    const record = noteMerge(stage);
    stage.counts.merges_by_lead += 1;
    const known = stage.plan.subjects.findIndex((s) => s === 'lead');
    const isNew = known === -1 || stage.plan.seed % 3 !== 0;
    const token = isNew ? `${name}-${stage.id}` : stage.people.token(known);
    let answeredMs: number | null = null;
    return {
      kind: 'delivery',
      type: 'lead.created',
      data: subjects.lead.report(token, both(stage)),
      atMs: aMomentAgo(),
      isStop: false,
      answered(atMs) {
        answeredMs ??= atMs;
        record.answeredMs ??= atMs;
      },
      async afterwards() {
        if (isNew && answeredMs !== null) await stage.takeIn(token, stage.people.nameOf(0), answeredMs);
      },
    };
  },
};
