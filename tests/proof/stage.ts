import { randomUUID } from 'node:crypto';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { resolveShortLink } from '../../operations/short-links.ts';
import type { Payload } from '../../integrations/port.ts';
import { noCounts } from './counts.ts';
import { times } from './far-end.ts';
import { type MortalProcess, startProcess } from './mortal-process.ts';
import type { Witnessed } from './observer.ts';
import { People } from './people.ts';
import type { DispatchPlan, HistoryPlan, Point, ProcessPlan, When } from './plan.ts';
import { Signals } from './signals.ts';
import { stepId, type World } from './world.ts';

export const undisturbed: ProcessPlan = { faults: {}, waitMs: 20 };
export const sleep = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

/** After the planned lives, undisturbed ones, further and further apart: on a busy machine patience is what is missing. */
export const livesAfter = (planned: readonly ProcessPlan[], further = 12): ProcessPlan[] => [
  ...planned,
  ...Array.from({ length: further }, (_, at) => ({ faults: {}, waitMs: Math.min(20 * 2 ** at, 1_000) })),
];

type Listen = (stage: HistoryStage, run: number, enrollmentId: string) => void;

/** What everything that happens in one history shares: who there is, what was seen, and the processes. */
export class HistoryStage {
  readonly world: World;
  readonly plan: HistoryPlan;
  readonly tenantId: string;
  readonly id = randomUUID().slice(0, 13);
  readonly people: People;
  readonly startedMs = performance.now();
  readonly counts = noCounts();
  readonly trace: string[] = [];
  readonly surprises: string[] = [];
  readonly signals = new Signals();
  /** The latest message of each run. */
  readonly payloads = new Map<number, Payload>();
  readonly clicks: Promise<void>[] = [];
  readonly seen: Witnessed;
  /** The far end takes everything from now on. */
  calm = false;
  readonly #awaitNextCall: ((run: number) => void)[] = [];
  #lives = 0;

  readonly #listen: Listen;

  /** @param listen - how what the far end sees of a run gets onto the record */
  constructor(world: World, plan: HistoryPlan, listen: Listen) {
    this.#listen = listen;
    this.world = world;
    this.plan = plan;
    this.tenantId = world.tenantOf(plan.providers, plan.optOutAll).tenantId;
    this.people = new People(plan, this.id);
    this.seen = {
      providers: plan.providers,
      texts: plan.texts,
      struck: new Set(),
      runs: [],
      linked: [],
      stops: [],
      merges: [],
      moves: [],
      calls: [],
      accepted: [],
      bereaved: new Set(),
      end: [],
      answers: [],
      inbox: new Map(),
      strangers: new Map(),
    };
  }

  /** Whose run it is. The second person may have none: then what is about it names the person. */
  ownerOf(run: number): string {
    return this.seen.runs[run]?.owner ?? this.people.nameOf(1);
  }

  // ── runs

  /** A run that is judged from now on. @param bornMs - null: it was there from the beginning */
  addRun(about: Witnessed['runs'][number]['about'], enrollmentId: string, owner: string, bornMs: number | null): number {
    const run = this.seen.runs.push({ about, enrollmentId, key: `${enrollmentId}:${stepId}`, owner, bornMs }) - 1;
    this.#listen(this, run, enrollmentId);
    return run;
  }

  /** The sequence about a lead that has just come up, if one began: its step is due like any other. */
  async takeIn(token: string, owner: string, bornMs: number): Promise<void> {
    const enrollmentId = (await this.enrollmentsOf([token])).get(token);
    if (enrollmentId === undefined) return;
    const run = this.addRun('lead', enrollmentId, owner, bornMs);
    this.counts.newcomers += 1;
    this.note(`run ${run + 1} begins about a new lead`);
    await this.dispatch({ run, when: { after: 'start', delayMs: 120 }, lives: this.plan.newcomer }, 'n');
  }

  /** By the id of the subject at its source. */
  async enrollmentsOf(tokens: readonly string[]): Promise<Map<string, string>> {
    const { rows } = await this.world.owner.query<{ id: string; value: string }>(
      'select e.id, k.value from enrollments e join subject_keys k on k.tenant_id = e.tenant_id and k.subject_id = e.subject_id where k.tenant_id = $1 and k.value = any($2)',
      [this.tenantId, tokens],
    );
    return new Map(rows.map((r) => [r.value, r.id]));
  }

  // ── dispatching, as Temporal does it: again and again until the step is settled

  async dispatch({ run, when, lives, comesBack = true }: DispatchPlan, name: string): Promise<void> {
    await this.until(when, run);
    const enrollmentId = this.seen.runs[run]?.enrollmentId ?? '';
    for (const life of [...lives, ...Array.from({ length: comesBack ? 12 : 0 }, () => undisturbed)]) {
      if (performance.now() - this.startedMs > 3_500) return;
      const process = this.process(name, life, run);
      const result = await this.attempt(process, () => dispatchStep(process.deps, { tenantId: this.tenantId, enrollmentId, stepId }));
      if (result === 'died') this.seen.bereaved.add(enrollmentId);
      else if (result !== null) {
        this.note(
          `${process.name}: ${result.kind === 'again' ? `again in ${Math.round(result.inMs)} ms (${result.why})` : result.kind === 'done' ? result.note : result.kind}`,
        );
        if (result.kind === 'missing' || (result.kind === 'done' && (result.ended !== null || result.progress.settled[stepId] !== undefined))) return;
        // What would take longer than a history lasts is waited for by letting time pass.
        if (result.kind === 'done' || result.inMs > 2 * times.deadLeaseMs) await this.letTimePass();
        else await sleep(Math.min(result.inMs, 40 + 4 * life.waitMs));
      }
      await sleep(life.waitMs);
    }
  }

  async messageIdOf(payload: Payload | undefined): Promise<string | null> {
    const url = payload?.channel === 'email' ? payload.unsubscribeUrl : payload?.channel === 'sms' ? payload.shortUrl : null;
    const token = url?.split('/').at(-1) ?? '';
    if (payload?.channel === 'email') return this.world.deps.links.read(token, 'unsubscribe')?.messageId ?? null;
    return (await resolveShortLink(this.world.deps, token))?.messageId ?? null;
  }

  // ── time

  /** Rows in doubt or put off become ten seconds older, unless something of theirs is under way. */
  async letTimePass(): Promise<void> {
    const quiet = this.seen.runs.filter((r) => this.world.farEnd.isQuiet(r.key)).map((r) => r.enrollmentId);
    if (quiet.length === 0) return;
    const older = `update messages set claimed_at = claimed_at - interval '10.5 s', doubt_since = doubt_since - interval '10.5 s',
         find_from = find_from - interval '10.5 s', settled_at = settled_at - interval '600 s'
       where tenant_id = $1 and enrollment_id = $2 and state in ('unknown', 'failed') and not live`;
    for (const id of quiet) {
      // The product's own locks may stand in the way: then no time passes.
      await this.world.owner.query(older, [this.tenantId, id]).catch(() => undefined);
      await this.world.owner
        .query(`update enrollments set not_before = '{}' where tenant_id = $1 and id = $2`, [this.tenantId, id])
        .catch(() => undefined);
    }
    this.note('time passes');
  }

  async until(when: When, run: number): Promise<void> {
    if (when.after !== 'start') await this.signals.wait(`${when.after} ${run}`, when.after === 'called_again' ? 3_000 : 500);
    await sleep(when.delayMs);
  }

  /** A call of a run has begun: whoever waits for one of its calls goes on. */
  called(run: number): void {
    for (const wake of this.#awaitNextCall.splice(0)) wake(run);
  }

  #nextCall(run: number | null): Promise<void> {
    return new Promise((done) => {
      const timer = setTimeout(done, 3_500);
      const wait = (called: number) => {
        if (called !== run) {
          this.#awaitNextCall.push(wait);
          return;
        }
        clearTimeout(timer);
        done();
      };
      this.#awaitNextCall.push(wait);
    });
  }

  // ── processes

  process(who: string, life: ProcessPlan, run: number | null): MortalProcess {
    const name = `${who}.${++this.#lives}`;
    return startProcess(this.world, name + this.id, life, {
      reached: (point) => {
        if (run === null) return;
        if (point === 'dispatch.locked') this.signals.give(`locked ${run}`);
        if (point === 'dispatch.claimed') this.signals.give(`claimed ${run}`);
      },
      nextCall: () => this.#nextCall(run),
      struck: (point: Point, fault) => {
        this.seen.struck.add(name + this.id);
        this.note(
          `${name} at ${point}: ${fault.kind}${'ms' in fault ? ` ${fault.ms} ms` : fault.kind === 'lost_commit' ? ` (${fault.fate.kind})` : ''}`,
        );
        if ('ms' in fault) this.counts.pauses += 1;
        if (fault.kind === 'crash') this.counts.crashes += 1;
        if (fault.kind === 'cut') this.counts.cuts += 1;
        if (fault.kind === 'lost_commit') this.counts.lost_commits += 1;
      },
    });
  }

  /** @returns null when it failed: the caller tries again, as Temporal or a shop would */
  async attempt<T>(process: MortalProcess, work: () => Promise<T>): Promise<T | 'died' | null> {
    try {
      return await Promise.race([work(), process.died]);
    } catch (error) {
      this.note(`${process.name}: fails, ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
      if (!process.struck()) this.surprise(process.name, error);
      return null;
    }
  }

  surprise(who: string, error: unknown): void {
    const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
    this.surprises.push(`${who.split('.')[0]}: ${error instanceof Error ? `${error.message.split('\n')[0]}${cause}` : String(error)}`);
  }

  note(text: string): void {
    this.trace.push(`${(performance.now() - this.startedMs).toFixed(1).padStart(8)} ms  ${text.replaceAll(this.id, '')}`);
  }
}
