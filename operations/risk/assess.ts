import { and, desc, eq, inArray, isNotNull, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { CommitUnclearError, isLockFailure, type Tx } from '../../db/client.ts';
import { riskStandings, settingsVersions, subjects } from '../../db/schema/index.ts';
import { type Assessed, assessAccount } from '../../domain/risk/assess.ts';
import type { BandThresholds, RiskBand } from '../../domain/risk/bands.ts';
import { type Behaviour, readStoredBehaviour } from '../../domain/risk/behaviour.ts';
import { isActive, type Prediction } from '../../domain/risk/outcome.ts';
import type { OwnAnswer } from '../../domain/risk/own-model.ts';
import { account } from '../../domain/subjects/account/index.ts';
import type { NoSequenceReason } from '../../domain/subjects/no-sequence.ts';
import { settingsOf, type TenantSettings } from '../../domain/tenant-settings.ts';
import { allAnswered } from '../all-answered.ts';
import { recordAudit } from '../audit.ts';
import { classifyFailure } from '../classify-failure.ts';
import type { Deps } from '../deps.ts';
import { draftOfAll } from '../enroll-by-hand.ts';
import { isOneOf } from '../is-one-of.ts';
import { intervene, noteBand } from '../effects/rules/at-risk.ts';
import { readArms, worthOf } from '../interventions/worth.ts';
import { MovedError } from '../intake/found.ts';
import { readTenant } from '../intake/tenant.ts';
import { writesOf, writeWorld } from '../intake/writes.ts';
import type { AssessmentCause, AssessmentView, Champion } from './assessment.ts';
import { readAssessment, viewOf } from './assessment-view.ts';
import { readChampion } from './champion.ts';
import { askOwnModel } from './own-model.ts';
import { type AssessmentSource, assessmentKeptMs } from './risk-cache.ts';

/** More behaviour is not looked at: two years of an account that does something on every day. */
const mostBehaviour = 5_000;
/** An inactive account is assessed again after this, because time alone raises a risk. */
const againAfterMs = 24 * 3_600_000;
const mostAttempts = 8;
/** Accounts whose band stays are read and written together, so many at once: more of them would keep each waiting for the others. */
const together = 50;
/** So many whose band changes share a transaction, under the locks of all their people. */
const inSet = 10;

/** An assessment, and where it came from. */
export type Answered = AssessmentView & { source: AssessmentSource };

/**
 * How an account stands: as this process or the database has known for less than five minutes, else assessed now.
 * @param fresh - assess it now in any case
 * @returns null where the tenant has no such account, or it is gone
 */
export async function askRisk(deps: Deps, tenantId: string, accountId: string, { fresh = false } = {}): Promise<Answered | null> {
  const answer = (view: AssessmentView | null, source: AssessmentSource): Answered | null => {
    if (view === null) return null;
    deps.risk.answered[source] += 1;
    deps.telemetry.riskAnswered(source);
    return { ...view, source };
  };
  if (!fresh) {
    const kept = deps.risk.get(tenantId, accountId, deps.clock.monotonicMs());
    if (kept !== null) return answer(kept, 'cache');
    const stored = await readStored(deps, tenantId, accountId);
    if (stored !== null) {
      const ageMs = Math.max(0, deps.clock.nowMs() - stored.atMs);
      deps.risk.keep(tenantId, stored, deps.clock.monotonicMs(), ageMs);
      return answer(stored, 'stored');
    }
  }
  const made = await assessLocked(deps, tenantId, accountId, 'asked');
  if (made !== null) deps.risk.keep(tenantId, made, deps.clock.monotonicMs());
  return answer(made, 'computed');
}

/** What is stored and less than five minutes old, where the account has done nothing since. */
function readStored(deps: Pick<Deps, 'db'>, tenantId: string, accountId: string): Promise<AssessmentView | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [standing] = await tx
      .select({ id: riskStandings.assessmentId })
      .from(riskStandings)
      .where(
        and(
          eq(riskStandings.subjectId, accountId),
          isNotNull(riskStandings.assessmentId),
          sql`${riskStandings.assessedAt} > clock_timestamp() - make_interval(secs => ${assessmentKeptMs / 1_000}::float8)`,
          sql`${riskStandings.dueAt} > clock_timestamp()`,
        ),
      );
    return standing?.id == null ? null : readAssessment(tx, standing.id);
  });
}

/** What came of assessing several accounts: some may fail, and the others are assessed. */
export interface AssessedAccounts {
  assessed: AssessmentView[];
  failed: string[];
}

/**
 * Assess accounts now. Those whose band stays are written together; one whose band changes is assessed again under its person's lock, where what follows
 * from the change is decided. An error of one never stops the others.
 * @param runId - the run of a portfolio that it is for: it assesses each account once, and one that it or a later run has assessed already is left out
 */
export async function assessAccounts(
  deps: Deps,
  tenantId: string,
  ids: readonly string[],
  cause: AssessmentCause,
  runId: string | null = null,
): Promise<AssessedAccounts> {
  const result: AssessedAccounts = { assessed: [], failed: [] };
  const alone: string[] = [];
  for (let from = 0; from < ids.length; from += together) {
    const { written, left } = await assessTogether(deps, tenantId, ids.slice(from, from + together), cause, runId);
    result.assessed.push(...written);
    alone.push(...left);
  }
  const one = async (id: string) => {
    try {
      const view = await assessLocked(deps, tenantId, id, cause, { runId });
      if (view !== null) result.assessed.push(view);
    } catch (error) {
      if (classifyFailure(error) !== 'unexpected' && !isLockFailure(error)) throw error;
      deps.log.error({ tenantId, account: id, err: error }, 'an account could not be assessed');
      result.failed.push(id);
      await putOff(deps, tenantId, id);
    }
  };
  // One set after the other: side by side they would only wait for the same processors, each longer.
  for (let from = 0; from < alone.length; from += inSet) {
    const set = alone.slice(from, from + inSet);
    try {
      result.assessed.push(...(await assessSet(deps, tenantId, set, cause, { runId })));
    } catch {
      // A lock that is held, or one account that cannot be assessed: each by itself, and the error is that one's.
      for (const id of set) await one(id);
    }
  }
  for (const view of result.assessed) deps.risk.keep(tenantId, view, deps.clock.monotonicMs());
  return result;
}

/** An account that cannot be assessed is tried again later, and later each time. */
async function putOff(deps: Pick<Deps, 'db'>, tenantId: string, id: string): Promise<void> {
  await deps.db.withTenant(tenantId, (tx) =>
    tx
      .update(riskStandings)
      .set({
        failures: sql`failures + 1`,
        dueAt: sql`clock_timestamp() + least(interval '1 minute' * power(2, least(failures, 10)), interval '6 hours')`,
      })
      .where(eq(riskStandings.subjectId, id)),
  );
}

interface Measure {
  atMs: number;
  thresholds: BandThresholds;
  prediction: Prediction;
  champion: Champion | 'unavailable' | null;
  settings: TenantSettings;
}

/** What accounts of a store are assessed by at this moment. */
async function readMeasure(tx: Tx, deps: Pick<Deps, 'risk' | 'log' | 'clock'>, tenantId: string): Promise<Measure> {
  const [tenant, version] = await allAnswered([readTenant(tx, tenantId), readSettingsVersion(tx)]);
  const settings = settingsOf(tenant);
  const { riskBands, riskPrediction: prediction } = settings;
  const thresholds = { version, ...riskBands };
  return { atMs: deps.clock.nowMs(), thresholds, prediction, champion: await readChampion(tx, deps, prediction), settings };
}

/** 0: the settings are as they came. */
async function readSettingsVersion(tx: Tx): Promise<number> {
  const [latest] = await tx.select({ version: settingsVersions.version }).from(settingsVersions).orderBy(desc(settingsVersions.version)).limit(1);
  return latest?.version ?? 0;
}

type Standing = typeof riskStandings.$inferSelect;

/** Those of the accounts that are there, by their ids. */
async function readOpen(tx: Tx, ids: readonly string[]): Promise<string[]> {
  const rows = await tx
    .select({ id: subjects.id })
    .from(subjects)
    .where(and(isOneOf(subjects.id, ids), eq(subjects.kind, account.kind), eq(subjects.state, 'open')));
  return rows.map(({ id }) => id);
}

async function readStandings(tx: Tx, ids: readonly string[]): Promise<Standing[]> {
  return tx.select().from(riskStandings).where(isOneOf(riskStandings.subjectId, ids));
}

/** In the order of their ids, as everybody locks them. */
async function lockStandings(tx: Tx, ids: readonly string[]): Promise<Standing[]> {
  return tx.select().from(riskStandings).where(isOneOf(riskStandings.subjectId, ids)).orderBy(riskStandings.subjectId).for('update');
}

async function assessTogether(
  deps: Deps,
  tenantId: string,
  ids: readonly string[],
  cause: AssessmentCause,
  runId: string | null,
): Promise<{ written: AssessmentView[]; left: string[] }> {
  const begunMs = deps.clock.monotonicMs();
  const read = await deps.db.withTenant(tenantId, async (tx) => {
    const [open, found, measure] = await allAnswered([readOpen(tx, ids), readStandings(tx, ids), readMeasure(tx, deps, tenantId)]);
    const stood = new Set(found.map(({ subjectId }) => subjectId));
    const first = open.filter((id) => !stood.has(id));
    if (first.length > 0) await insertStandings(tx, tenantId, first);
    const standings = first.length > 0 ? await readStandings(tx, ids) : found;
    const over = new Set(standings.filter((standing) => isOfRun(standing, runId)).map(({ subjectId }) => subjectId));
    const opened = new Set(open);
    const known = [...opened].filter((id) => !over.has(id));
    const gone = standings.filter(({ subjectId }) => !opened.has(subjectId)).map(({ subjectId }) => subjectId);
    if (gone.length > 0) await tx.delete(riskStandings).where(inArray(riskStandings.subjectId, gone));
    const histories = await readHistories(tx, known, measure.atMs);
    return { known, standings, measure, histories, silent: await readSilentFor(tx, histories, known.length, measure.atMs) };
  });
  const own = await askOwnModel(deps, tenantId, read.measure.champion, { histories: read.histories, atMs: read.measure.atMs });
  const standingOf = new Map(read.standings.map((standing) => [standing.subjectId, standing]));
  const steady: { standing: Standing; assessed: Assessed }[] = [];
  const left: string[] = [];
  for (const id of read.known) {
    const standing = standingOf.get(id);
    const history = read.histories.get(id) ?? [];
    if (history === 'unreadable') {
      left.push(id);
      continue;
    }
    const assessed = assessOne(deps, read.measure, { id, history, ownSilentRank: standing?.silentRank }, { silent: read.silent, own });
    if (standing !== undefined && isSteady(standing, assessed)) steady.push({ standing, assessed });
    else left.push(id);
  }
  const rows = steady.map(({ standing, assessed }) => ({ standing, assessed, row: rowOf(tenantId, standing, assessed, read.measure, cause) }));
  const written = await deps.db.withTenant(tenantId, async (tx) => {
    if (rows.length === 0) return [];
    const stands = rows.map(({ standing, assessed, row }) => ({
      ...{ id: standing.subjectId, assessment: row.id, silent: assessed.silentRank, band: standing.band, handled: standing.handled },
      due: new Date(standing.dueAt).toISOString(),
    }));
    // Another process has written a newer assessment: drop this one; the account is assessed again when it is due.
    const done = await storeAssessments(
      tx,
      { tenantId, atMs: read.measure.atMs, runId, rows: rows.map(({ row }) => ({ ...emptyRow, ...row })), stands },
      { locked: false },
    );
    return rows.map(({ row }) => row).filter(({ subjectId }) => done.has(subjectId));
  });
  // Each was assessed once all were written.
  const tookMs = deps.clock.monotonicMs() - begunMs;
  for (const _ of written) deps.telemetry.riskStage('assessment', tookMs);
  return { written: written.map((row) => viewOf({ ...emptyRow, ...row }, row.modelId === null ? null : versionOf(read.measure))), left };
}

/** What an assessment is made of beside the account's own history. */
interface Besides {
  silent: readonly number[];
  /** What a model of the store's own says, by accounts. */
  own: ReadonlyMap<string, OwnAnswer>;
}

function assessOne(
  deps: Deps,
  { atMs, champion, thresholds }: Measure,
  { id, history, ownSilentRank }: { id: string; history: readonly Behaviour[]; ownSilentRank: number | null | undefined },
  { silent, own }: Besides,
): Assessed {
  const begunMs = deps.clock.monotonicMs();
  const assessed = assessAccount(history, atMs, { champion, thresholds, silentRanks: silent, ownSilentRank, own: own.get(id) });
  if (!own.has(id)) deps.telemetry.riskStage('inference', deps.clock.monotonicMs() - begunMs);
  return assessed;
}

/** Ids of runs are in the order of their beginnings: whatever a later run has assessed was assessed since this one began. */
const isOfRun = ({ portfolioRunId }: Standing, runId: string | null): boolean => runId !== null && portfolioRunId !== null && portfolioRunId >= runId;

/** Nothing follows from an assessment that leaves its account where it is; one that was never assessed is in no band. */
function isSteady({ band, handled }: Standing, assessed: Assessed): boolean {
  return band === assessed.band && handled === actedUpon(assessed);
}

const versionOf = ({ champion }: Measure) => (champion === null || champion === 'unavailable' ? null : champion.version);

/** Who is silent already is ranked among others like them: that begins nothing, and ends nothing as recovered. */
const actedUpon = ({ basis, band }: Assessed): RiskBand => (basis === 'quantile' ? 'none' : band);

const emptyRow = { base: null, rulesBecause: null, modelId: null, enrollmentId: null, keptFrom: null };

function rowOf(
  tenantId: string,
  { subjectId, band: bandBefore }: Pick<Standing, 'subjectId' | 'band'>,
  assessed: Assessed,
  { atMs, thresholds, prediction, champion }: Measure,
  cause: AssessmentCause,
) {
  const { by, rulesBecause, basis, score, band, base, factors } = assessed;
  const modelId = by === 'model' && champion !== null && champion !== 'unavailable' ? champion.id : null;
  return {
    ...{ tenantId, id: uuidv7(), subjectId, at: atMs, by, rulesBecause, basis, score, band, bandBefore, base, factors },
    ...{ thresholds, prediction, modelId, cause },
  };
}

/** The ranks of the accounts that are silent already, the lowest first, where any of these is: nobody else is compared with them. @param count - of the accounts; one without behaviour has no history */
async function readSilentFor(tx: Tx, histories: ReadonlyMap<string, Behaviour[] | 'unreadable'>, count: number, atMs: number): Promise<number[]> {
  const anySilent = histories.size < count || [...histories.values()].some((history) => history !== 'unreadable' && !isActive(history, atMs));
  return anySilent ? readSilent(tx) : [];
}

/** One value and not a row for each: a store may have many, and each set of accounts that is assessed asks for them. */
async function readSilent(tx: Tx): Promise<number[]> {
  const { rows } = await tx.execute<{ ranks: number[] }>(
    sql`select coalesce(json_agg(${riskStandings.silentRank} order by ${riskStandings.silentRank}), '[]') as ranks from ${riskStandings} where ${riskStandings.silentRank} is not null`,
  );
  return rows[0]?.ranks ?? [];
}

/** What accounts did until a moment, by their ids; `unreadable`: this build cannot read it. */
export async function readHistories(tx: Tx, ids: readonly string[], untilMs: number): Promise<Map<string, Behaviour[] | 'unreadable'>> {
  const { rows } = await tx.$client.query<{ subject_id: string; kind: string; data: unknown; at: number }>({
    text: `select b.subject_id, b.kind, b.data, (extract(epoch from b.occurred_at) * 1000)::float8 as at
      from unnest($1::uuid[]) i(id)
        cross join lateral (select * from behaviours k where k.subject_id = i.id and k.occurred_at <= $2
          order by k.occurred_at desc, k.id desc limit $3) b`,
    values: [ids, new Date(untilMs).toISOString(), mostBehaviour],
  });
  const histories = new Map<string, Behaviour[] | 'unreadable'>();
  for (const { subject_id: id, kind, data, at } of rows) {
    const known = histories.get(id) ?? [];
    if (known === 'unreadable') continue;
    try {
      known.push(readStoredBehaviour({ kind, data, occurredAt: Math.round(at) }));
      histories.set(id, known);
    } catch {
      histories.set(id, 'unreadable');
    }
  }
  return histories;
}

/**
 * Assess one account under its person's lock, and do what follows from a change of its band. What moved meanwhile, or was locked, is tried again.
 * @returns null: there is none, or it is gone
 */
async function assessLocked(
  deps: Deps,
  tenantId: string,
  id: string,
  cause: AssessmentCause,
  { asked = null, runId = null }: LockedOptions = {},
): Promise<AssessmentView | null> {
  for (let attempt = 1; ; attempt++) {
    try {
      return (await assessSet(deps, tenantId, [id], cause, { asked, runId }))[0] ?? null;
    } catch (error) {
      const again = error instanceof MovedError || error instanceof CommitUnclearError || isLockFailure(error);
      if (!again || attempt >= mostAttempts) throw error;
    }
  }
}

interface LockedOptions {
  /** Somebody asks for an intervention. */
  asked?: { by: string } | null;
  runId?: string | null;
}

/**
 * Assess accounts in one transaction under the locks of their persons, and do what follows from changes of their bands: one world, one write. Whatever goes
 * wrong with one of them concerns all of the set.
 * @returns those that were assessed; the others are gone, or the run has assessed them already
 * @throws MovedError, CommitUnclearError, and locks that others hold: try again, or one by one
 */
async function assessSet(
  deps: Deps,
  tenantId: string,
  ids: readonly string[],
  cause: AssessmentCause,
  { asked = null, runId = null }: LockedOptions = {},
): Promise<AssessmentView[]> {
  const begunMs = deps.clock.monotonicMs();
  const done = await deps.db.withTenant(tenantId, async (tx) => {
    const [draft, settled] = await allAnswered([draftOfAll(tx, deps, tenantId, ids), readMeasure(tx, deps, tenantId)]);
    const open = ids.filter((id) => {
      const subject = draft.findSubject(id);
      return subject !== null && subject.kind === account.kind && subject.state === 'open';
    });
    if (open.length === 0) return { views: [], told: false };
    // Now that the locks are held.
    const measure = { ...settled, atMs: deps.clock.nowMs() };
    const { atMs } = measure;
    const [, locked, histories] = await allAnswered([insertStandings(tx, tenantId, open), lockStandings(tx, open), readHistories(tx, open, atMs)]);
    const standings = locked.filter((standing) => !isOfRun(standing, runId));
    if (standings.length === 0) return { views: [], told: false };
    const silent = await readSilentFor(tx, histories, open.length, atMs);
    const { riskPrediction } = measure.settings;
    const arms = () => deps.risk.arms(tenantId, JSON.stringify(riskPrediction), deps.clock.monotonicMs(), () => readArms(tx, riskPrediction));
    const own = await askOwnModel(deps, tenantId, measure.champion, { histories, atMs });
    const rows: { row: StoredRow; stands: Stands }[] = [];
    let told = false;
    for (const standing of standings) {
      const { subjectId: id } = standing;
      const history = histories.get(id) ?? [];
      if (history === 'unreadable') throw new Error('its behaviour was stored by another build, or is damaged');
      const assessed = assessOne(deps, measure, { id, history, ownSilentRank: standing.silentRank }, { silent, own });
      const mayBegin = assessed.band !== 'none' && assessed.basis !== 'quantile' && (asked !== null || assessed.band !== standing.handled);
      const worth = mayBegin && assessed.band !== 'none' ? worthOf(await arms(), measure.settings, { band: assessed.band, history, atMs }) : null;
      const stand = { handled: standing.handled, now: assessed.band, isAsked: asked !== null, worth };
      const { ended, begun, keptFrom, handled } = assessed.basis === 'quantile' ? noteBand(draft, id, assessed.band) : intervene(draft, id, stand);
      const row = { ...rowOf(tenantId, standing, assessed, measure, cause), enrollmentId: begun, keptFrom };
      const since = standing.band === assessed.band ? (standing.bandSince ?? atMs) : atMs;
      const stands = { id, assessment: row.id, band: assessed.band, silent: assessed.silentRank, handled, since: new Date(since).toISOString() };
      rows.push({ row, stands });
      told ||= begun !== null || ended.length > 0;
      if (asked !== null)
        await recordAudit(tx, {
          ...{ tenantId, actor: asked.by, action: 'risk.intervene', subject: id },
          data: { band: assessed.band, begun, kept_from: keptFrom },
        });
    }
    writeWorld(tx, writesOf(draft));
    const stored = { tenantId, atMs, runId, rows: rows.map(({ row }) => ({ ...emptyRow, ...row })), stands: rows.map(({ stands }) => stands) };
    await storeAssessments(tx, stored, { locked: true });
    await deps.checkpoints('risk.before_commit');
    return { views: rows.map(({ row }) => viewOf({ ...emptyRow, ...row }, row.modelId === null ? null : versionOf(measure))), told };
  });
  await deps.checkpoints('risk.committed');
  const tookMs = deps.clock.monotonicMs() - begunMs;
  for (const _ of done.views) deps.telemetry.riskStage('assessment', tookMs);
  if (done.told) deps.kickRelay();
  return done.views;
}

/** Accounts that were never assessed have no standing so far. */
async function insertStandings(tx: Tx, tenantId: string, ids: readonly string[]): Promise<void> {
  await tx.$client.query({
    text: 'insert into risk_standings (tenant_id, subject_id) select $1, i.id from unnest($2::uuid[]) i(id) order by i.id on conflict do nothing',
    values: [tenantId, ids],
  });
}

/** What an assessment makes of its account's standing: as the columns of `n` in `storeAssessments`. */
interface Stands {
  id: string;
  assessment: string;
  band: RiskBand;
  handled: RiskBand;
  silent: number | null;
  /** ISO 8601. */
  since?: string;
  due?: string;
}

/**
 * Move the standings of accounts, and store the assessments of those that moved: one statement for all of them.
 * @param locked - the standings are locked and may enter another band; else only those move that nobody has changed since they were read
 * @returns the accounts whose standings moved
 */
async function storeAssessments(
  tx: Tx,
  {
    tenantId,
    atMs,
    runId,
    rows,
    stands,
  }: { tenantId: string; atMs: number; runId: string | null; rows: readonly StoredRow[]; stands: readonly Stands[] },
  { locked }: { locked: boolean },
): Promise<Set<string>> {
  // $2: the moment, $3: seconds until the next one, $5: the run of a portfolio, $7: locked.
  const { rows: moved } = await tx.$client.query<{ id: string }>({
    text: `with moved as (
        update risk_standings r set assessment_id = n.assessment, assessed_at = $2, silent_rank = n.silent, failures = 0,
            portfolio_run_id = coalesce($5::uuid, r.portfolio_run_id), band = n.band, handled = n.handled,
            band_since = case when $7 then n.since else coalesce(r.band_since, $2) end,
            due_at = case when $7 or r.due_at = n.due then $2::timestamptz + make_interval(secs => $3::float8) else r.due_at end
          from jsonb_to_recordset($4::jsonb) as n(id uuid, assessment uuid, band text, handled text, silent float8, since timestamptz, due timestamptz)
          where r.tenant_id = $1 and r.subject_id = n.id
            and ($7::boolean or r.band = n.band and r.handled = n.handled and (r.assessed_at is null or r.assessed_at <= $2)
              and ($5::uuid is null or r.portfolio_run_id is null or r.portfolio_run_id < $5))
          returning r.subject_id)
      insert into risk_assessments (tenant_id, id, subject_id, at, by, rules_because, basis, score, band, band_before, base, factors, thresholds,
          prediction, model_id, cause, enrollment_id, kept_from)
        select $1, a."id", a."subjectId", $2, a."by", a."rulesBecause", a."basis", a."score", a."band", a."bandBefore", a."base", a."factors",
            a."thresholds", a."prediction", a."modelId", a."cause", a."enrollmentId", a."keptFrom"
          from jsonb_to_recordset($6::jsonb) as a("id" uuid, "subjectId" uuid, "by" text, "rulesBecause" text, "basis" text, "score" float8, "band" text,
              "bandBefore" text, "base" float8, "factors" jsonb, "thresholds" jsonb, "prediction" jsonb, "modelId" uuid, "cause" text,
              "enrollmentId" uuid, "keptFrom" text)
            join moved on moved.subject_id = a."subjectId"
        returning subject_id as id`,
    values: [tenantId, new Date(atMs).toISOString(), againAfterMs / 1_000, JSON.stringify(stands), runId, JSON.stringify(rows), locked],
  });
  return new Set(moved.map(({ id }) => id));
}

type StoredRow = ReturnType<typeof rowOf> & { enrollmentId: string | null; keptFrom: NoSequenceReason | null };

/**
 * Assess an account now, and begin the sequence of its band, also where it was in that band before: a person asks for it.
 * @returns null where the tenant has no such account, or it is gone
 */
export async function triggerIntervention(deps: Deps, tenantId: string, accountId: string, actor: string): Promise<AssessmentView | null> {
  const made = await assessLocked(deps, tenantId, accountId, 'asked', { asked: { by: actor } });
  if (made !== null) deps.risk.keep(tenantId, made, deps.clock.monotonicMs());
  return made;
}

/** How many are in each band, and how many were never assessed. */
export function readBands(deps: Pick<Deps, 'db'>, tenantId: string): Promise<Record<RiskBand, number>> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const rows = await tx
      .select({ band: riskStandings.band, count: sql<number>`count(*)::int` })
      .from(riskStandings)
      .where(isNotNull(riskStandings.assessmentId))
      .groupBy(riskStandings.band);
    const counts: Record<RiskBand, number> = { none: 0, early: 0, active: 0, critical: 0 };
    for (const { band, count } of rows) counts[band] = count;
    return counts;
  });
}

/** So many accounts of a store are assessed in one pass. */
const atOnce = 200;

/** Assess what is due: accounts with new behaviour, and those not assessed for a day. @returns whether there may be more to do right away */
export async function assessDue(deps: Deps): Promise<boolean> {
  let more = false;
  for (const tenantId of await deps.db.tenantsWithWork('risk_due')) {
    const due = await deps.db.withTenant(tenantId, (tx) =>
      tx
        .select({ id: riskStandings.subjectId, assessedAt: riskStandings.assessedAt, dueAt: riskStandings.dueAt })
        .from(riskStandings)
        .where(sql`${riskStandings.dueAt} <= clock_timestamp()`)
        .orderBy(riskStandings.dueAt)
        .limit(atOnce),
    );
    more ||= due.length === atOnce;
    const byTime = due.filter(({ assessedAt, dueAt }) => assessedAt !== null && dueAt === assessedAt + againAfterMs);
    const byBehaviour = due.filter((one) => !byTime.includes(one));
    for (const [some, cause] of [
      [byBehaviour, 'behaviour'],
      [byTime, 'time'],
    ] as const)
      if (some.length > 0)
        await assessAccounts(
          deps,
          tenantId,
          some.map(({ id }) => id),
          cause,
        );
  }
  return more;
}
