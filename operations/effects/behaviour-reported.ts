import { behaviourKey, type Behaviour } from '../../domain/risk/behaviour.ts';
import { account } from '../../domain/subjects/account/index.ts';
import type { Draft } from '../intake/draft.ts';
import type { Effect, EventOf } from './effect.ts';
import { carryStops } from './rules/carry-stops.ts';
import { reportSubject } from './rules/report-subject.ts';

type BehaviourReported = EventOf<'behaviour.reported'>;

/**
 * Keep what an account did. It begins no sequence by itself: whether the account is at risk is assessed. An order or a message in it stops as if it had
 * been reported as one, from the next decision on at the latest.
 * Source: docs/rules.md#rule-81
 */
export const behaviourReported: Effect<BehaviourReported> = {
  stops: 'when_it_merges',
  reads: ['runs', 'sequences', 'suppressions', 'claims'],
  decide(event, draft) {
    const report = { ...event, report: event.account };
    reportSubject(draft, account, report, { begins: () => false, beforeBegin: (subjectId) => keep(draft, event, subjectId) });
  },
};

function keep(draft: Draft, { behaviour, occurredAtMs }: BehaviourReported, subjectId: string): void {
  const dated = behaviour.map((one) => ({ ...one, atMs: one.atMs ?? occurredAtMs }));
  for (const one of dated) {
    const { kind, ...data } = one.what;
    draft.changes.behaviours.push({ subjectId, key: behaviourKey(one, one.atMs), kind, data, atMs: one.atMs });
  }
  const { contactId } = draft.subject(subjectId);
  if (contactId === null) return;
  const { personId } = draft.contact(contactId);
  const { lastOrderAt, lastReplyAt } = draft.contact(personId);
  const latest = (kind: Behaviour['kind'], known: number | null) =>
    dated.reduce<number | null>((last, { what, atMs }) => (what.kind === kind ? Math.max(last ?? atMs, atMs) : last), known);
  const [ordered, replied] = [latest('order', lastOrderAt), latest('message', lastReplyAt)];
  if (ordered === lastOrderAt && replied === lastReplyAt) return;
  draft.changeContact(personId, { lastOrderAt: ordered, lastReplyAt: replied });
  carryStops(draft, personId);
}
