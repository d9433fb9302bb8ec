import { countSpared } from './across-stores.ts';
import { stopsOf, subjectsOf } from './coverage.ts';
import { judgeSubject } from './judge-subject.ts';
import { at, emptyVerdict, type Verdict, type ViolationKind } from './verdict.ts';
import type { Witnessed } from './witnessed.ts';

/** Judge a run by what was seen from outside: the far ends' records and the log of answered webhooks. Pure. */
export function judge(seen: Witnessed): Verdict {
  const verdict = emptyVerdict();
  const stops = stopsOf(seen.deliveries, seen.unsubscribes);
  for (const subject of subjectsOf(seen.deliveries)) judgeSubject(seen, subject, stops, verdict);
  verdict.stops.spared = countSpared(seen, stops);
  const violate = (kind: ViolationKind, text: string) => void verdict.violations.push({ kind, subject: null, text });
  judgeAnswers(seen, violate);
  judgeRemains(seen, violate);
  judgeProcesses(seen, violate);
  return verdict;
}

type Violate = (kind: ViolationKind, text: string) => void;

function judgeAnswers({ deliveries, unsubscribes }: Witnessed, violate: Violate): void {
  for (const { planned, answeredMs, surprises } of deliveries) {
    if (answeredMs === null) violate('STUCK', `delivery ${planned.id} was never answered 2xx`);
    for (const text of surprises) violate('ANSWER', `delivery ${planned.id} was answered ${text}`);
  }
  for (const { email, answeredMs } of unsubscribes) if (answeredMs === null) violate('STUCK', `the unsubscribe of ${email} was never answered 2xx`);
}

function judgeRemains({ remains }: Witnessed, violate: Violate): void {
  for (const [what, rows] of Object.entries(remains.rows)) if (rows > 0) violate('STUCK', `${what}: ${rows} rows`);
  for (const [status, n] of Object.entries(remains.workflows)) if (status !== 'COMPLETED' && n > 0) violate('STUCK', `workflows ${status}: ${n}`);
}

/** A process ends when it is killed or asked to; one that serves never ends because something else is away. */
function judgeProcesses({ lives }: Witnessed, violate: Violate): void {
  for (const { name, pid, readyMs, askedMs, endedMs, end, how } of lives) {
    if (readyMs === null) continue;
    const process = `${name} (process ${pid}), ready since ${at(readyMs)},`;
    if (end === 'by itself') violate('PROCESS', `${process} ended by itself at ${at(endedMs)}: ${how ?? ''}`);
    if (end === 'asked' && how !== 'exit code 0')
      violate('PROCESS', `${process} was asked to end at ${at(askedMs)} and ended with ${how ?? 'nothing'} at ${at(endedMs)}`);
  }
}
