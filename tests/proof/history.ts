import { applyPending } from '../../operations/accept-delivery.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import type { Counts } from './counts.ts';
import { act, deliverPlainly } from './deliver.ts';
import { settleAfterMs, times } from './far-end.ts';
import { type EndState, judge } from './observer.ts';
import { listenTo } from './far-end-listener.ts';
import type { HistoryPlan } from './plan.ts';
import { HistoryStage, livesAfter, sleep, undisturbed } from './stage.ts';
import { subjects } from './subjects/index.ts';
import { type Providers, stepId, type World } from './world.ts';

export interface HistoryResult {
  violations: string[];
  /** Errors that nothing done to the process explains. */
  surprises: string[];
  counts: Counts;
  trace: string[];
  /** The final state of each step. */
  ends: string[];
}

/** Run one history to its end, let everything calm down, and judge it. */
export async function runHistory(world: World, plan: HistoryPlan): Promise<HistoryResult> {
  const stage = new HistoryStage(world, plan, listenTo);
  const { seen } = stage;
  stage.note(
    `seed ${plan.seed}: ${plan.providers.email}${plan.texts ? `, texts ${plan.providers.sms}` : ''}, ${plan.shape}, ${plan.subjects.join(' and ')}, opt-out of ${plan.optOutAll ? 'all channels' : 'one channel'}`,
  );
  await begin(stage);
  await Promise.all([
    ...plan.dispatches.map((d, at) => stage.dispatch(d, `d${at + 1}`)),
    ...plan.actions.map((a, at) => act(stage, a, `s${at + 1}`)),
    ...plan.timePassesMs.map((atMs) => sleep(atMs).then(() => stage.letTimePass())),
  ]);
  await Promise.all(stage.clicks);
  await calmDown(stage);
  const verdict = judge(seen);
  stage.counts.stretched += verdict.stretched;
  for (const [at, { enrollmentId }] of seen.runs.entries()) {
    const end = seen.end.find((e) => e.enrollmentId === enrollmentId);
    stage.note(`at the end: run ${at + 1} is ${end?.row?.state ?? 'without a row'}${end?.ended === true ? `, ended as ${end.stopReason}` : ''}`);
  }
  for (const run of seen.runs) world.farEnd.forget(run.enrollmentId, run.key);
  return {
    violations: verdict.violations,
    surprises: stage.surprises,
    counts: stage.counts,
    trace: stage.trace,
    ends: seen.end.map((e) => e.row?.state ?? 'none'),
  };
}

// ── the world before anything happens

async function begin(stage: HistoryStage): Promise<void> {
  const { plan, people, seen } = stage;
  const longAgoMs = Date.now() - 600;
  const owners = plan.subjects.map((_, run): 0 | 1 => (run === 0 || plan.shape === 'two_of_one' ? 0 : 1));
  for (const [run, about] of plan.subjects.entries()) {
    const { type, report } = subjects[about];
    await deliverPlainly(stage, { type, data: report(people.token(run), people.known(owners[run] ?? 0)), atMs: longAgoMs });
  }
  if (!['one', 'two_of_one'].includes(plan.shape) && !owners.includes(1))
    await deliverPlainly(stage, { type: 'contact.updated', data: { contact: people.known(1) }, atMs: longAgoMs });
  if (plan.shape === 'two_persons') seen.linked.push([people.nameOf(1), people.secondName()]);
  if (plan.emailClosed) await closeEmails(stage);
  const enrollments = await stage.enrollmentsOf(plan.subjects.map((_, run) => people.token(run)));
  for (const [run, about] of plan.subjects.entries()) {
    const enrollmentId = enrollments.get(people.token(run));
    if (enrollmentId === undefined) throw new Error(`${about} ${run + 1} started no sequence`);
    stage.addRun(about, enrollmentId, people.nameOf(owners[run] ?? 0), null);
  }
}

/** Both persons may be texted, and not be emailed. */
async function closeEmails(stage: HistoryStage): Promise<void> {
  for (const email of [stage.people.nameOf(0), stage.people.nameOf(1)].filter((name) => name.includes('@'))) {
    await deliverPlainly(stage, { type: 'contact.opted_out', data: { contact: { email }, channel: 'email' }, atMs: Date.now() - 700 });
    const sentMs = performance.now();
    const stop = { kind: 'opt_out', by: { address: email }, closesOnly: 'email', number: null, reaches: 'person', about: null } as const;
    stage.seen.stops.push({ ...stop, lasts: true, optsOut: true, sentMs, answeredMs: sentMs });
  }
}

// ── the end

/** Whether the provider of a call in doubt can be asked about it. */
const canBeAsked = (providers: Providers, channel: string | null) => (channel === 'sms' ? providers.sms : providers.email) === 'find';

async function calmDown(stage: HistoryStage): Promise<void> {
  const { world, seen, plan } = stage;
  stage.calm = true;
  const quiet = async () => {
    while (!seen.runs.every((r) => world.farEnd.isQuiet(r.key))) await sleep(20);
  };
  await quiet();
  await applyPending(world.deps);
  // No row may depend on a retry: the sweep alone ends every lease, and asks where it can. On a busy machine it passes less often.
  const patienceMs = performance.now() + times.deadLeaseMs + settleAfterMs + 1_500;
  const passes = world.sweeps.passed + 6;
  for (;;) {
    await readEnd(stage);
    const waiting = seen.end.some(
      (e) => e.row !== null && (e.row.live || e.row.state === 'claimed' || (e.row.state === 'unknown' && canBeAsked(plan.providers, e.row.channel))),
    );
    if (!waiting || (performance.now() > patienceMs && world.sweeps.passed > passes)) break;
    // Some providers are asked seconds later, as their adapters declare.
    await stage.letTimePass();
    await sleep(100);
  }
  const stuck = seen.end.some((e) => e.row?.live === true);
  if (!stuck) await Promise.all(seen.runs.map((_, run) => finish(stage, run)));
  await quiet();
  await readEnd(stage);
  await readIntake(stage);
}

/** Dispatch a step until it is settled, time passing between the attempts. */
async function finish(stage: HistoryStage, run: number): Promise<void> {
  const enrollmentId = stage.seen.runs[run]?.enrollmentId ?? '';
  for (const { waitMs } of livesAfter([])) {
    const process = stage.process('last', undisturbed, run);
    const result = await stage.attempt(process, () => dispatchStep(process.deps, { tenantId: stage.tenantId, enrollmentId, stepId }));
    if (result !== null && result !== 'died') {
      stage.note(`${process.name}: ${result.kind === 'done' ? result.note : result.kind}`);
      if (result.kind === 'done' && (result.ended !== null || result.progress.settled[stepId] !== undefined)) return;
    }
    await stage.letTimePass();
    await sleep(waitMs / 2);
  }
}

async function readEnd({ world, tenantId, seen }: HistoryStage): Promise<void> {
  const { rows } = await world.owner.query<{
    id: string;
    ended: boolean;
    reason: string | null;
    state: string | null;
    live: boolean | null;
    channel: string | null;
  }>(
    `select e.id, e.ended_at is not null as ended, e.stop_reason as reason, m.state, m.live, m.channel from enrollments e
     left join messages m on m.tenant_id = e.tenant_id and m.enrollment_id = e.id and m.step_id = $3 where e.tenant_id = $1 and e.id = any($2)`,
    [tenantId, seen.runs.map((r) => r.enrollmentId), stepId],
  );
  seen.end = rows.map(
    (r): EndState => ({
      enrollmentId: r.id,
      ended: r.ended,
      stopReason: r.reason,
      row: r.state === null ? null : { state: r.state, live: r.live === true, channel: r.channel },
    }),
  );
}

/** What has become of every delivery. */
async function readIntake(stage: HistoryStage): Promise<void> {
  const { world, tenantId, seen } = stage;
  const ids = seen.answers.flatMap(({ id }) => id ?? []);
  const { rows } = await world.owner.query<{ dedupe_key: string; state: string }>(
    'select dedupe_key, state from inbox where tenant_id = $1 and dedupe_key = any($2)',
    [tenantId, ids],
  );
  seen.inbox = new Map(rows.map((r) => [r.dedupe_key, r.state]));
  const begun = await stage.enrollmentsOf([...seen.strangers.keys()]);
  for (const [token, stranger] of seen.strangers) stranger.known = begun.has(token);
}
