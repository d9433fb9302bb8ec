import { and, asc, desc, eq, gt, max, ne, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../../db/client.ts';
import { riskModels, riskTrainings, subjects, tenants } from '../../db/schema/index.ts';
import type { Behaviour } from '../../domain/risk/behaviour.ts';
import { type BuyingHistory, type BuyingModel, fitBuying } from '../../domain/risk/buy-till-you-die.ts';
import type { Example } from '../../domain/risk/example.ts';
import { examplesOf, type Prediction } from '../../domain/risk/outcome.ts';
import { isOwn } from '../../domain/risk/own-model.ts';
import { decidePromotion, splitByTime } from '../../domain/risk/train.ts';
import { account } from '../../domain/subjects/account/index.ts';
import { settingsOf } from '../../domain/tenant-settings.ts';
import { recordAudit } from '../audit.ts';
import { classifyFailure } from '../classify-failure.ts';
import type { Deps } from '../deps.ts';
import { readHistories } from './assess.ts';
import { isSame, readChampion } from './champion.ts';
import { type Learn, learnInThread } from './learn.ts';
import { judgeOwnModel, qualityOfOwn } from './own-model.ts';

export type ModelRow = typeof riskModels.$inferSelect;
export type TrainingRow = typeof riskTrainings.$inferSelect;

const dayMs = 86_400_000;
/** The window that slides: older outcomes say little about today's customers. */
const windowDays = 730;
/** More examples make a model little better and its training longer. The newest are kept. */
const mostExamples = 20_000;
const accountsAtOnce = 200;
/** A night that was begun already is not begun again. */
const atMostEveryHours = 20;

type TrainDeps = Pick<Deps, 'db' | 'clock' | 'log' | 'risk' | 'ownModels'>;

/** Every night: learn from each store's outcomes. One store that fails never stops the others. @returns how many stores were looked at */
export async function trainAll(deps: TrainDeps, { signal, onProgress }: { signal?: AbortSignal; onProgress?: () => void } = {}): Promise<number> {
  let looked = 0;
  for (const { id: tenantId } of await deps.db.listTenants()) {
    if (signal?.aborted === true) break;
    onProgress?.();
    try {
      if (await isTrained(deps, tenantId)) continue;
      const training = await trainTenant(deps, tenantId, { onProgress: onProgress ?? (() => undefined) });
      if (training !== null) looked += 1;
    } catch (error) {
      if (classifyFailure(error) !== 'unexpected') throw error;
      deps.log.error({ tenantId, err: error }, 'nothing could be learned from the outcomes of a store');
    }
  }
  return looked;
}

function isTrained(deps: TrainDeps, tenantId: string): Promise<boolean> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const rows = await tx
      .select({ id: riskTrainings.id })
      .from(riskTrainings)
      .where(sql`at > clock_timestamp() - make_interval(hours => ${atMostEveryHours})`)
      .limit(1);
    return rows.length > 0;
  });
}

/**
 * Learn a model from a store's outcomes of the last two years. It comes into use where it is better than the one in use on the newest outcomes; else it is
 * kept as the challenger.
 * @returns null: the store has no accounts
 */
export async function trainTenant(
  deps: TrainDeps,
  tenantId: string,
  { learn = learnInThread, onProgress = () => undefined }: { learn?: Learn; onProgress?: () => void } = {},
): Promise<TrainingRow | null> {
  const begunMs = deps.clock.monotonicMs();
  const start = await deps.db.withTenant(tenantId, async (tx) => {
    const [tenant] = await tx.select().from(tenants).where(eq(tenants.id, tenantId));
    if (tenant === undefined) return null;
    const prediction = settingsOf(tenant).riskPrediction;
    return { prediction, champion: await readChampion(tx, deps, prediction) };
  });
  if (start === null) return null;
  const { prediction } = start;
  const champion = start.champion === 'unavailable' ? null : start.champion;
  const { examples, buying, accounts } = await gather(deps, tenantId, prediction, onProgress);
  if (accounts === 0) return null;
  // Judged with the features that it would have: its own idea of how customers buy does not come along.
  const beat = setInterval(onProgress, 10_000);
  const before = champion?.model ?? null;
  const learned = await learn({ examples, champion: before === null || isOwn(before) ? null : before }).finally(() => clearInterval(beat));
  const { training } = learned;
  const counts = { examples: examples.length, lost: examples.filter(({ lost }) => lost).length };
  const { newest } = splitByTime(examples);
  const own = await judgeOwnModel(deps, tenantId, newest, counts);
  const championQuality = before !== null && isOwn(before) ? await qualityOfOwn(deps, tenantId, before, newest) : learned.championQuality;
  const tookMs = () => Math.round(deps.clock.monotonicMs() - begunMs);
  const stored = await deps.db.withTenant(tenantId, async (tx) => {
    const note = async (row: Pick<TrainingRow, 'outcome' | 'detail'> & { modelId?: string }) => {
      const [made] = await tx
        .insert(riskTrainings)
        .values({ tenantId, id: uuidv7(), ...counts, championQuality, tookMs: tookMs(), ...row })
        .returning();
      return made ?? null;
    };
    const ownDetail = own?.kind === 'failed' ? ` The store’s own model: ${own.detail}` : '';
    if (!training.trained && own?.kind !== 'judged') return note({ outcome: training.reason, detail: `${training.detail}${ownDetail}` });
    // Promotions of a store wait for each other.
    await tx.select({ id: tenants.id }).from(tenants).where(eq(tenants.id, tenantId)).for('no key update');
    // One challenger of each kind at a time: the latest.
    await tx.update(riskModels).set({ role: 'retired', retiredAt: deps.clock.nowMs() }).where(eq(riskModels.role, 'challenger'));
    const [last] = await tx.select({ version: max(riskModels.version) }).from(riskModels);
    let version = last?.version ?? 0;
    const store = async (one: Pick<typeof riskModels.$inferInsert, 'name' | 'model' | 'quality' | 'notes'>, isPromoted: boolean) => {
      const id = uuidv7();
      version += 1;
      await tx.insert(riskModels).values({ ...one, tenantId, id, version, prediction, role: 'challenger', buying, ...counts });
      if (isPromoted) await putInUse(tx, deps, { tenantId, id, by: 'training' });
      return id;
    };
    let inUse = championQuality;
    let made: { id: string; promoted: boolean; why: string } | null = null;
    if (training.trained) {
      const { promoted, why } = decidePromotion(inUse, training.quality);
      const { name, model, quality, notes } = training;
      made = { id: await store({ name, model, quality, notes }, promoted), promoted, why };
      if (promoted) inUse = quality;
    }
    if (own?.kind !== 'judged') {
      const { id = '', promoted = false, why = '' } = made ?? {};
      return note({ outcome: promoted ? 'promoted' : 'not_promoted', detail: `${why}${ownDetail}`, modelId: id });
    }
    const { promoted, why } = decidePromotion(inUse, own.quality);
    const ownId = await store({ name: 'own', model: own.model, quality: own.quality, notes: own.notes }, promoted);
    const learnedDetail = training.trained ? `${made?.why ?? ''}.` : training.detail;
    return note({
      outcome: promoted || made?.promoted === true ? 'promoted' : 'not_promoted',
      detail: `${learnedDetail} The store’s own model: ${why}`,
      modelId: promoted || made === null ? ownId : made.id,
    });
  });
  deps.log.info({ tenantId, outcome: stored?.outcome, examples: examples.length, tookMs: tookMs() }, 'the outcomes of a store were learned from');
  return stored;
}

interface Gathered {
  examples: Example[];
  buying: BuyingModel | null;
  accounts: number;
}

/** The examples of a store's accounts, and how its customers buy. Page by page: a history is not kept once its examples are. */
async function gather(deps: TrainDeps, tenantId: string, prediction: Prediction, onProgress: () => void): Promise<Gathered> {
  const nowMs = deps.clock.nowMs();
  const sinceMs = nowMs - windowDays * dayMs;
  const bought: BuyingHistory[] = [];
  let accounts = 0;
  await eachHistory(deps, tenantId, nowMs, (history) => {
    onProgress();
    accounts += 1;
    const own = buyingHistoryOf(history, nowMs);
    if (own !== null) bought.push(own);
  });
  const buying = fitBuying(bought);
  let examples: Example[] = [];
  const newest = () => examples.toSorted((a, b) => b.atMs - a.atMs).slice(0, mostExamples);
  await eachHistory(deps, tenantId, nowMs, (history) => {
    onProgress();
    examples.push(...examplesOf(history, prediction, { knownUntilMs: nowMs, sinceMs, buying }));
    if (examples.length > 2 * mostExamples) examples = newest();
  });
  return { examples: newest(), buying, accounts };
}

function buyingHistoryOf(history: readonly Behaviour[], nowMs: number): BuyingHistory | null {
  const orders = history.filter(({ kind }) => kind === 'order').toSorted((a, b) => a.atMs - b.atMs);
  const [first] = orders;
  const last = orders.at(-1);
  if (first === undefined || last === undefined || nowMs <= first.atMs) return null;
  return { repeats: orders.length - 1, lastAt: (last.atMs - first.atMs) / dayMs, age: (nowMs - first.atMs) / dayMs };
}

async function eachHistory(deps: TrainDeps, tenantId: string, nowMs: number, use: (history: Behaviour[]) => void): Promise<void> {
  for (let after: string | null = null; ; ) {
    const page: { ids: string[]; histories: Awaited<ReturnType<typeof readHistories>> } = await deps.db.withTenant(tenantId, async (tx) => {
      const rows = await tx
        .select({ id: subjects.id })
        .from(subjects)
        .where(and(eq(subjects.kind, account.kind), ne(subjects.state, 'gone'), after === null ? undefined : gt(subjects.id, after)))
        .orderBy(asc(subjects.id))
        .limit(accountsAtOnce);
      const ids = rows.map(({ id }) => id);
      return { ids, histories: await readHistories(tx, ids, nowMs) };
    });
    for (const history of page.histories.values()) if (history !== 'unreadable') use(history);
    after = page.ids.at(-1) ?? null;
    if (page.ids.length < accountsAtOnce) return;
  }
}

/** The model that assesses from now on. Under the lock of the tenant's row. */
async function putInUse(tx: Tx, deps: Pick<Deps, 'clock'>, { tenantId, id, by }: { tenantId: string; id: string; by: string }): Promise<void> {
  const nowMs = deps.clock.nowMs();
  const before = await tx
    .update(riskModels)
    .set({ role: 'retired', retiredAt: nowMs })
    .where(eq(riskModels.role, 'champion'))
    .returning({ id: riskModels.id });
  await tx.update(riskModels).set({ role: 'champion', promotedAt: nowMs, promotedBy: by, retiredAt: null }).where(eq(riskModels.id, id));
  await recordAudit(tx, { tenantId, actor: by, action: 'risk.use_model', subject: id, data: { before: before[0]?.id ?? null } });
}

export type ModelUsed = { kind: 'used'; model: ModelRow } | { kind: 'other_prediction'; model: ModelRow };

/**
 * Let a model that was learned before assess from now on, which takes the one in use out of it. @param version - null: the one that was in use before
 * @returns null where there is no such model
 */
export function returnToModel(
  deps: Pick<Deps, 'db' | 'clock'>,
  tenantId: string,
  { version, actor }: { version: number | null; actor: string },
): Promise<ModelUsed | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [tenant] = await tx.select().from(tenants).where(eq(tenants.id, tenantId)).for('no key update');
    const [model] = await tx
      .select()
      .from(riskModels)
      .where(version === null ? and(eq(riskModels.role, 'retired'), sql`promoted_at is not null`) : eq(riskModels.version, version))
      .orderBy(desc(riskModels.promotedAt), desc(riskModels.version))
      .limit(1);
    if (tenant === undefined || model === undefined) return null;
    if (!isSame(model.prediction, settingsOf(tenant).riskPrediction)) return { kind: 'other_prediction', model };
    if (model.role !== 'champion') await putInUse(tx, deps, { tenantId, id: model.id, by: actor });
    const [now] = await tx.select().from(riskModels).where(eq(riskModels.id, model.id));
    return { kind: 'used', model: now ?? model };
  });
}

/** Models, the latest first, and the latest training. */
export function readModels(deps: Pick<Deps, 'db'>, tenantId: string): Promise<{ models: ModelRow[]; training: TrainingRow | null }> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const models = await tx.select().from(riskModels).orderBy(desc(riskModels.version)).limit(100);
    const [training] = await tx.select().from(riskTrainings).orderBy(desc(riskTrainings.id)).limit(1);
    return { models, training: training ?? null };
  });
}
