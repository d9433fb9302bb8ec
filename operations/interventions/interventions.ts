import { and, asc, eq, gte, inArray, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { Tx } from '../../db/client.ts';
import {
  behaviours,
  compositions,
  enrollmentEvents,
  enrollments,
  messages,
  offers,
  sequences,
  sequenceVersions,
  tasks,
  tenants,
} from '../../db/schema/index.ts';
import { addUp, type Amount, microsOf } from '../../domain/interventions/amount.ts';
import { type Cost, costOf, type InterventionCosts, totalCost } from '../../domain/interventions/cost.ts';
import { type InterventionOutcome, type JudgedAction, outcomeOfAll, outcomesOf, type Sign, succeeded } from '../../domain/interventions/outcome.ts';
import { type Effect, expectedOf, type Return, returnOf } from '../../domain/interventions/worth.ts';
import type { InterventionBand } from '../../domain/risk/band-move.ts';
import { plannedOffsetsMs, type StepDefinition } from '../../domain/sequence/definition.ts';
import { scaled } from '../../domain/sequence/time-scale.ts';
import { account } from '../../domain/subjects/account/index.ts';
import { settingsOf, type TenantSettings } from '../../domain/tenant-settings.ts';
import type { Deps } from '../deps.ts';
import { beyond, byAge, isDescending, type Page, pageOf, type PageWanted, readList, since } from '../read/page.ts';
import { readWorth, type Worth } from './worth.ts';

const dayMs = 86_400_000;

/** One concrete intervention: a message, or a task for a colleague. */
export interface ActionView {
  step: string;
  /** On which it went out, or would first be tried. */
  channel: string;
  /** The name of its text; null: a colleague gets a task. */
  content: string | null;
  task: StepDefinition['task'] | null;
  state: JudgedAction['state'];
  /** Why it was left out or failed, where that is known. */
  reason: string | null;
  /** Its time by the sequence. */
  dueAtMs: number;
  /** When it took place; null: it has not. */
  atMs: number | null;
  /** How much later than its time. */
  lateMs: number | null;
  offer: { percentOff: number; state: string; redeemed: boolean } | null;
  openedAtMs: number | null;
  clickedAtMs: number | null;
  outcome: InterventionOutcome | null;
  cost: Cost;
  expected: Amount[] | null;
  return: Return;
}

/** A sequence about a band of risk, about one account, with what it costs, what it is expected to bring, and what came of it. */
export interface InterventionView {
  /** Of the enrollment. */
  id: string;
  accountId: string;
  contactId: string;
  sequence: string;
  band: InterventionBand;
  beganAtMs: number;
  endedAtMs: number | null;
  status: Run['status'];
  stopReason: string | null;
  /** Nothing was done, so that the effect of the others can be measured. */
  heldOut: boolean;
  stake: Amount[] | null;
  effect: Effect | null;
  outcome: InterventionOutcome | null;
  /** Whether the account came back, by what counts as that in its band; null: its window is not over, or nothing was done. */
  success: boolean | null;
  /** How long after an action what the account does counts for it. */
  windowMs: number;
  /** Of what took place and what is planned. */
  cost: Cost;
  expected: Amount[] | null;
  return: Return;
  /** The orders within the window of an action, whose amounts are known. */
  attributed: Amount[];
  actions: ActionView[];
}

export interface InterventionFilter {
  account?: string | undefined;
  band?: InterventionBand | undefined;
  /** Begun at that time or later. */
  sinceMs?: number | undefined;
}

/** The interventions of a store, the latest first. */
export function listInterventions(
  deps: Pick<Deps, 'db' | 'clock'>,
  tenantId: string,
  filter: InterventionFilter,
  page: PageWanted,
): Promise<Page<InterventionView>> {
  return readList(deps, tenantId, async (tx) => {
    const { whole, versions } = await readWanted(tx, filter.band);
    if (whole.length + versions.length === 0) return { items: [], next: null };
    const wanted = and(
      filter.account === undefined ? undefined : eq(enrollments.subjectId, filter.account),
      filter.sinceMs === undefined ? undefined : since(enrollments.enrolledAt, enrollments.id, filter.sinceMs),
      beyond(enrollments.id, 'newest', page),
    );
    const order = byAge(enrollments.id, 'newest', page);
    const limit = page.limit + 1;
    // A page of each sequence, of which the first are the page: a walk through all enrollments would meet those of carts before an old intervention.
    const pageOfEach = (column: PgColumn, ids: readonly string[]) => {
      const own = sql.join(
        ids.map((id) => sql`${id}::uuid`),
        sql`, `,
      );
      const ofOne = tx
        .select({ id: enrollments.id })
        .from(enrollments)
        .where(and(sql`${column} = v.id`, eq(enrollments.subjectKind, account.kind), wanted))
        .orderBy(order)
        .limit(limit);
      return ids.length === 0 ? [] : [sql`select o.id from unnest(array[${own}]) as v(id) cross join lateral ${ofOne} o`];
    };
    const found = sql.join([...pageOfEach(enrollments.sequenceId, whole), ...pageOfEach(enrollments.versionId, versions)], sql` union all `);
    const rows = await selectRuns(tx)
      .where(
        sql`${enrollments.id} in (select o.id from (${found}) o order by o.id ${sql.raw(isDescending('newest', page) ? 'desc' : 'asc')} limit ${limit})`,
      )
      .orderBy(order);
    const { items, next } = pageOf(rows, page.limit, ({ id }) => id);
    return { items: await viewsOf(tx, await judgedNow(tx, deps, tenantId), items), next };
  });
}

/** The sequences of which every version is about this band, and the versions of others that are. However often a sequence was published, it is one page to read. */
async function readWanted(tx: Tx, band: InterventionBand | undefined): Promise<{ whole: string[]; versions: string[] }> {
  const isWanted = and(isIntervention, band === undefined ? undefined : sql`${sequenceVersions.definition} ->> 'band' = ${band}`);
  const rows = await tx
    .select({
      sequenceId: sequenceVersions.sequenceId,
      all: sql<boolean>`bool_and(coalesce(${isWanted}, false))`,
      versions: sql<string[]>`array_agg(${sequenceVersions.id}) filter (where ${isWanted})`,
    })
    .from(sequenceVersions)
    .groupBy(sequenceVersions.sequenceId)
    .having(sql`bool_or(${isWanted})`);
  return {
    whole: rows.filter(({ all }) => all).map(({ sequenceId }) => sequenceId),
    versions: rows.filter(({ all }) => !all).flatMap(({ versions }) => versions),
  };
}

/** @returns null where the tenant has no such intervention */
export function readIntervention(deps: Pick<Deps, 'db' | 'clock'>, tenantId: string, id: string): Promise<InterventionView | null> {
  return deps.db.withTenant(tenantId, async (tx) => (await interventionsOf(tx, await judgedNow(tx, deps, tenantId), [id]))[0] ?? null);
}

/** By what interventions are judged. */
export interface JudgedBy {
  nowMs: number;
  settings: TenantSettings;
}

export async function judgedNow(tx: Tx, { clock }: Pick<Deps, 'clock'>, tenantId: string): Promise<JudgedBy> {
  const [tenant] = await tx.select().from(tenants).where(eq(tenants.id, tenantId));
  return { nowMs: clock.nowMs(), settings: settingsOf(tenant ?? { settings: {} }) };
}

/** Of these enrollments, those that are interventions. */
export async function interventionsOf(tx: Tx, by: JudgedBy, ids: readonly string[]): Promise<InterventionView[]> {
  if (ids.length === 0) return [];
  const rows = await selectRuns(tx).where(inArray(enrollments.id, [...ids]));
  // Not in the query: Postgres takes the versions for few, and reads all their enrollments instead of these.
  const found = rows.filter(({ definition }) => definition.on === 'risk.entered');
  return viewsOf(tx, by, found);
}

const isIntervention = sql`${sequenceVersions.definition} ->> 'on' = 'risk.entered'`;

const selectRuns = (tx: Tx) =>
  tx
    .select({
      id: enrollments.id,
      subjectId: enrollments.subjectId,
      contactId: enrollments.contactId,
      slug: sequences.slug,
      definition: sequenceVersions.definition,
      timeScale: enrollments.timeScale,
      anchorAt: enrollments.anchorAt,
      enrolledAt: enrollments.enrolledAt,
      endedAt: enrollments.endedAt,
      status: enrollments.status,
      stopReason: enrollments.stopReason,
    })
    .from(enrollments)
    .innerJoin(sequences, eq(sequences.id, enrollments.sequenceId))
    .innerJoin(sequenceVersions, eq(sequenceVersions.id, enrollments.versionId));

type Run = Awaited<ReturnType<typeof selectRuns>>[number];

/** Everything about some interventions in a handful of queries, however many there are. */
async function viewsOf(tx: Tx, { nowMs, settings }: JudgedBy, runs: readonly Run[]): Promise<InterventionView[]> {
  if (runs.length === 0) return [];
  const ids = runs.map(({ id }) => id);
  const sendKeys = runs.flatMap(({ id, definition }) => definition.steps.map((step) => sendKeyOf(id, step.id)));
  const rows = await readRows(
    tx,
    ids,
    sendKeys,
    [...new Set(runs.map(({ subjectId }) => subjectId))],
    Math.min(...runs.map(({ enrolledAt }) => enrolledAt)),
  );
  return runs.map((run) => viewOf(run, rows, settings, nowMs));
}

async function readRows(tx: Tx, ids: readonly string[], sendKeys: readonly string[], accounts: readonly string[], sinceMs: number) {
  const of = <T extends { enrollmentId: string | null }>(found: readonly T[]) => groupBy(found, ({ enrollmentId }) => enrollmentId);
  const messageRows = await tx
    .select({
      enrollmentId: messages.enrollmentId,
      stepId: messages.stepId,
      state: messages.state,
      channel: messages.channel,
      skipReason: messages.skipReason,
      settledAt: messages.settledAt,
      openedAt: messages.openedAt,
      clickedAt: messages.clickedAt,
      dueAt: messages.dueAt,
    })
    .from(messages)
    .where(inArray(messages.enrollmentId, [...ids]));
  const taskRows = await tx
    .select({ enrollmentId: tasks.enrollmentId, sendKey: tasks.sendKey, state: tasks.state, suppressed: tasks.suppressed })
    .from(tasks)
    .where(inArray(tasks.sendKey, [...sendKeys]));
  const texts = await tx
    .select({ enrollmentId: compositions.enrollmentId, stepId: compositions.stepId, costMicros: compositions.costMicros })
    .from(compositions)
    .where(inArray(compositions.enrollmentId, [...ids]));
  const granted = await tx
    .select({
      enrollmentId: offers.enrollmentId,
      stepId: offers.stepId,
      percentOff: offers.percentOff,
      state: offers.state,
      redeemedAt: offers.redeemedAt,
    })
    .from(offers)
    .where(inArray(offers.enrollmentId, [...ids]));
  const begun = await tx
    .select({ enrollmentId: enrollmentEvents.enrollmentId, data: enrollmentEvents.data })
    .from(enrollmentEvents)
    .where(and(inArray(enrollmentEvents.enrollmentId, [...ids]), eq(enrollmentEvents.type, 'enrolled')));
  const done = await tx
    .select({ subjectId: behaviours.subjectId, kind: behaviours.kind, data: behaviours.data, occurredAt: behaviours.occurredAt })
    .from(behaviours)
    .where(and(inArray(behaviours.subjectId, [...accounts]), gte(behaviours.occurredAt, sinceMs)))
    .orderBy(asc(behaviours.occurredAt));
  return {
    messages: of(messageRows),
    tasks: of(taskRows),
    texts: of(texts),
    offers: of(granted),
    begun: of(begun),
    behaviour: groupBy(done, ({ subjectId }) => subjectId),
  };
}

const sendKeyOf = (enrollmentId: string, stepId: string) => `${enrollmentId}:${stepId}`;

function groupBy<T, K>(rows: readonly T[], keyOf: (row: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group === undefined) groups.set(keyOf(row), [row]);
    else group.push(row);
  }
  return groups;
}

type Rows = Awaited<ReturnType<typeof readRows>>;
type BehaviourRow = Rows['behaviour'] extends Map<string, (infer One)[]> ? One : never;

function viewOf(run: Run, rows: Rows, settings: TenantSettings, nowMs: number): InterventionView {
  const { definition } = run;
  const worth = (rows.begun.get(run.id) ?? []).map(({ data }) => readWorth(data['worth'])).find((one) => one !== null) ?? null;
  const costs = worth?.costs ?? settings.interventionCosts;
  const windowMs = scaled(settings.interventionWindowDays * dayMs, run.timeScale);
  const heldOut = run.stopReason === 'holdout';
  const bare = heldOut ? [] : bareActions(run, rows);
  // Of several interventions of an account, all of what it did since the first of them was read.
  const behaviour = (rows.behaviour.get(run.subjectId) ?? []).filter(({ occurredAt }) => occurredAt >= run.enrolledAt);
  const signs = [...behaviour.flatMap(signOf), ...signOfEnd(run), ...bare.flatMap(({ openedAtMs, clickedAtMs }) => touches(openedAtMs, clickedAtMs))];
  const outcomes = outcomesOf(bare, signs, { windowMs, nowMs });
  const count = definition.steps.length;
  const actions = bare.map(({ modelMicros, isEscalation: _e, taskOpen: _o, ...action }, index): ActionView => {
    const cost = action.state === 'left_out' || action.state === 'failed' ? { amounts: [], unknown: [] } : costOfAction(costs, action, modelMicros);
    const expected = action.state === 'left_out' || action.state === 'failed' ? [] : expectedFrom(worth, count);
    return { ...action, outcome: outcomes[index] ?? null, cost, expected, return: returnOf(expected, cost) };
  });
  const cost = totalCost(actions.map((action) => action.cost));
  const expected = worth?.effect == null ? null : addUp(actions.flatMap((action) => action.expected ?? []));
  return {
    ...{ id: run.id, accountId: run.subjectId, contactId: run.contactId, sequence: run.slug, band: definition.band ?? 'early', windowMs },
    ...{ beganAtMs: run.enrolledAt, endedAtMs: run.endedAt, status: run.status, stopReason: run.stopReason, heldOut },
    ...{
      stake: worth?.stake ?? null,
      effect: worth?.effect ?? null,
      outcome: outcomeOfAll(outcomes),
      cost,
      expected,
      return: returnOf(expected, cost),
    },
    success: succeeded(definition.band ?? 'early', { firstAtMs: firstOf(bare), signs }, { windowMs, nowMs }),
    attributed: attributedOf(bare, behaviour, windowMs),
    actions,
  };
}

function firstOf(actions: readonly BareAction[]): number | null {
  const done = actions.flatMap(({ atMs }) => (atMs === null ? [] : [atMs]));
  return done.length === 0 ? null : Math.min(...done);
}

const expectedFrom = (worth: Worth | null, actions: number): Amount[] | null =>
  worth === null ? null : expectedOf(worth.stake, worth.effect, actions);

const costOfAction = (costs: InterventionCosts, { channel, task }: Pick<ActionView, 'channel' | 'task'>, modelMicros: number | null): Cost =>
  costOf(costs, { channel, task: task?.kind ?? null, modelMicros });

type BareAction = Omit<ActionView, 'outcome' | 'cost' | 'expected' | 'return'> &
  Pick<JudgedAction, 'isEscalation' | 'taskOpen'> & { modelMicros: number | null };

/** The steps of an intervention with what became of each. What was not reached when it ended never took place. */
function bareActions(run: Run, rows: Rows): BareAction[] {
  const { definition } = run;
  const offsets = plannedOffsetsMs(definition.steps);
  return definition.steps.map((step, index) => {
    const message = rows.messages.get(run.id)?.find(({ stepId }) => stepId === step.id);
    const made = rows.tasks.get(run.id)?.find(({ sendKey }) => sendKey === sendKeyOf(run.id, step.id));
    const offer = rows.offers.get(run.id)?.find(({ stepId }) => stepId === step.id);
    const state = stateOf(run, message, made?.suppressed === true);
    const atMs = state === 'done' ? (message?.settledAt ?? null) : null;
    const dueAtMs = message?.dueAt ?? run.anchorAt + scaled(offsets[index] ?? 0, run.timeScale);
    return {
      step: step.id,
      channel: message?.channel ?? step.channels[0] ?? 'none',
      content: step.content,
      task: taskOf(step, message?.channel ?? null),
      state,
      reason: message?.skipReason ?? (made?.suppressed === true ? 'suppressed' : null),
      ...{ dueAtMs, atMs, lateMs: atMs === null ? null : Math.max(0, atMs - dueAtMs) },
      offer: offer === undefined ? null : { percentOff: offer.percentOff, state: offer.state, redeemed: offer.redeemedAt !== null },
      ...{ openedAtMs: message?.openedAt ?? null, clickedAtMs: message?.clickedAt ?? null },
      isEscalation: step.task?.kind === 'escalation',
      taskOpen: made === undefined ? null : made.state === 'open',
      modelMicros: rows.texts.get(run.id)?.find(({ stepId }) => stepId === step.id)?.costMicros ?? null,
    };
  });
}

function taskOf(step: StepDefinition, channel: string | null): StepDefinition['task'] | null {
  const isTask = channel === null ? step.channels[0] === 'task' : channel === 'task';
  return isTask ? (step.task ?? { kind: 'agent_call' }) : null;
}

function stateOf(run: Run, message: { state: string } | undefined, suppressed: boolean): JudgedAction['state'] {
  if (suppressed) return 'left_out';
  switch (message?.state) {
    case 'sent':
    case 'unknown':
      return 'done';
    case 'skipped':
      return 'left_out';
    case 'claimed':
      return run.endedAt === null ? 'running' : 'left_out';
    case 'failed':
      // A refusal that is tried again has not failed for good.
      return run.endedAt === null ? 'running' : 'failed';
    default:
      return run.endedAt === null ? 'planned' : 'left_out';
  }
}

function signOf({ kind, data, occurredAt }: BehaviourRow): Sign[] {
  switch (kind) {
    case 'order':
      return [{ kind: 'order', atMs: occurredAt }];
    case 'message':
      return [{ kind: 'answer', atMs: occurredAt }];
    case 'call':
      return field(data, 'answered') === true ? [{ kind: 'answer', atMs: occurredAt }] : [];
    // A request for help does not count as coming back.
    case 'support':
      return [];
    default:
      return [{ kind: 'touch', atMs: occurredAt }];
  }
}

/** An order or an answer that a shop or a provider reported is no behaviour, and has ended what ran. */
function signOfEnd({ stopReason, endedAt }: Run): Sign[] {
  if (endedAt === null || !['purchased', 'purchased_elsewhere', 'replied'].includes(stopReason ?? '')) return [];
  return [{ kind: stopReason === 'replied' ? 'answer' : 'order', atMs: endedAt }];
}

const touches = (openedAtMs: number | null, clickedAtMs: number | null): Sign[] =>
  [openedAtMs, clickedAtMs].flatMap((atMs) => (atMs === null ? [] : [{ kind: 'touch', atMs }]));

const field = (data: unknown, name: string): unknown =>
  typeof data === 'object' && data !== null ? Object.entries(data).find(([key]) => key === name)?.[1] : undefined;

/** Orders count once, whatever number of actions came before them. */
function attributedOf(actions: readonly BareAction[], behaviour: readonly BehaviourRow[], windowMs: number): Amount[] {
  const done = actions.flatMap(({ atMs }) => (atMs === null ? [] : [atMs]));
  const orders = behaviour.filter(
    ({ kind, occurredAt }) => kind === 'order' && done.some((atMs) => atMs <= occurredAt && occurredAt - atMs < windowMs),
  );
  return addUp(orders.flatMap(({ data }) => amountIn(field(data, 'amount'), field(data, 'currency'))));
}

function amountIn(amount: unknown, currency: unknown): Amount[] {
  const micros = typeof amount === 'string' ? microsOf(amount) : null;
  return micros === null || typeof currency !== 'string' ? [] : [{ currency, micros }];
}
