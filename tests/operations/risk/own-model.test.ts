import { copyFileSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { and, asc, desc, eq, ne } from 'drizzle-orm';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { riskAssessments, riskModels } from '../../../db/schema/index.ts';
import type { Example } from '../../../domain/risk/example.ts';
import { OwnModels } from '../../../integrations/onnx/own-models.ts';
import type { Deps } from '../../../operations/deps.ts';
import { assessAccounts, askRisk } from '../../../operations/risk/assess.ts';
import { learn } from '../../../operations/risk/learn-now.ts';
import { judgeOwnModel } from '../../../operations/risk/own-model.ts';
import { trainTenant } from '../../../operations/risk/train-models.ts';
import { ask } from '../../api/left-carts.ts';
import { openShop, type Shop } from '../../helpers/shop.ts';

// A model that a store brings: docs/rules.md#rule-126

const dayMs = 86_400_000;
const models = join(import.meta.dirname, '../../integrations/onnx');
let shop: Shop;
let folder: string;
let deps: Deps;
let path: string;

function isInstalled(): boolean {
  try {
    createRequire(import.meta.url).resolve('onnxruntime-web/wasm');
    return true;
  } catch {
    return false;
  }
}

beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  folder = mkdtempSync(join(tmpdir(), 'own-models-'));
  path = join(folder, `${shop.tenant.tenantId}.onnx`);
  deps = { ...shop.deps, ownModels: new OwnModels(folder) };
});
afterAll(async () => {
  await shop.close();
  rmSync(folder, { recursive: true, force: true });
});

const own = (url: string, method: 'GET' | 'POST' = 'GET', payload?: Record<string, unknown>) => ask(shop, shop.tenant.apiKey, url, method, payload);
const inTenant = <T>(work: Parameters<typeof shop.deps.db.withTenant<T>>[1]) => shop.deps.db.withTenant(shop.tenant.tenantId, work);
const use = (version: number) => own('/api/risk/models/use', 'POST', { version });
const newestOwn = () =>
  inTenant(async (tx) => (await tx.select().from(riskModels).where(eq(riskModels.name, 'own')).orderBy(asc(riskModels.version))).at(-1));

async function newestLearned() {
  const [row] = await inTenant((tx) => tx.select().from(riskModels).where(ne(riskModels.name, 'own')).orderBy(desc(riskModels.version)).limit(1));
  if (row === undefined) throw new Error('nothing was learned');
  return row;
}

/** Whoever was away long is lost more often, with exceptions. The same each time. */
const examples = Array.from({ length: 900 }, (_, n): Example => {
  const daysSinceAny = (n * 37) % 90;
  return { atMs: n * 60_000, features: { daysSinceAny, visitsIn30Days: 1, overdue: 1 }, lost: daysSinceAny > 45 !== (n % 7 === 0) };
});

async function anAccount(name: string): Promise<string> {
  const behaviour = [20, 25, 31, 36].map((days) => ({ kind: 'visit', at: new Date(Date.now() - days * dayMs).toISOString() }));
  const { body } = await own('/api/behaviour', 'POST', { account: { id: name }, contact: { email: `${name}@example.com` }, behaviour });
  return (body as { account: string }).account;
}

/** They order every ten days and then no more, one sooner, one later: the longer nobody has heard of one, the surer they are lost. */
async function customersOfTwoYears(owner: pg.Client, customers: number): Promise<void> {
  const { tenantId } = shop.tenant;
  for (const statement of [
    `create temp table made as select n, gen_random_uuid() as contact, gen_random_uuid() as account, (n * 37) % 700 as ended from generate_series(1, ${customers}) n`,
    `insert into contacts (tenant_id, id, person_id) select '${tenantId}', contact, contact from made`,
    `insert into subjects (tenant_id, id, kind, contact_id, state, started_at, last_activity_at, details, details_version)
       select '${tenantId}', account, 'account', contact, 'open', now() - interval '720 days', now() - make_interval(days => ended),
         '{"name":null,"url":null,"area":null,"band":"none"}', 1 from made`,
    `insert into behaviours (tenant_id, id, subject_id, key, kind, data, occurred_at)
       select '${tenantId}', gen_random_uuid(), account, 'made:' || day, 'order', '{"amount":"49.90","currency":"EUR"}', now() - make_interval(days => day, hours => n % 24)
       from made, generate_series(1, 720, 10) day where day >= ended`,
  ])
    await owner.query(statement);
}

describe.runIf(isInstalled())('a model of the store’s own', () => {
  test('is calibrated at night, beside what was learned, and assesses once it is in use', async () => {
    copyFileSync(join(models, 'all-features.onnx'), path);
    const judged = await judgeOwnModel(deps, shop.tenant.tenantId, examples, { examples: 900, lost: 450 });
    if (judged?.kind !== 'judged') throw new Error(judged?.detail ?? 'there is no file');
    const { model, quality, notes } = judged;
    expect(quality.brierSkill).toBeGreaterThan(0.2);
    await inTenant((tx) =>
      tx.insert(riskModels).values({
        ...{ tenantId: shop.tenant.tenantId, id: uuidv7(), version: 1, prediction: { what: 'no_purchase', withinDays: 60 }, role: 'challenger' },
        ...{ name: 'own', model, quality, notes, examples: 900, lost: 450 },
      }),
    );
    const brought = await newestOwn();
    expect(brought?.notes[0]).toContain('its reasons are approximations');
    expect((await use(brought?.version ?? 0)).status).toBe(200);

    const id = await anAccount('north');
    const assessed = await askRisk(deps, shop.tenant.tenantId, id);
    expect(assessed).toMatchObject({
      by: 'model',
      basis: 'chance',
      rulesBecause: null,
      base: null,
      reasons: 'approximate',
      modelVersion: brought?.version,
    });
    expect(assessed?.sentence).toContain('the reasons are approximations');
    expect(assessed?.factors.length).toBeGreaterThan(0);
    expect(assessed?.factors.every(({ features }) => features.length === 1)).toBe(true);
    shop.deps.risk.drop(shop.tenant.tenantId, id);
    expect(await own(`/api/risk/assessments?account=${id}&latest=true`)).toMatchObject({ body: { data: [{ reasons: 'approximate', by: 'model' }] } });
  });

  test('whose file is gone is replaced by rules, which say so, until it is back', async () => {
    const id = await anAccount('south');
    const assess = async () => (await assessAccounts(deps, shop.tenant.tenantId, [id], 'time')).assessed[0];
    expect(await assess()).toMatchObject({ by: 'model' });
    renameSync(path, `${path}.away`);
    expect(await assess()).toMatchObject({ by: 'rules', rulesBecause: 'model_unavailable', basis: 'rank', reasons: 'exact' });
    copyFileSync(join(models, 'named-inputs.onnx'), path);
    expect(await assess(), 'another file was never calibrated').toMatchObject({ by: 'rules', rulesBecause: 'model_unavailable' });
    copyFileSync(join(models, 'six-columns.onnx'), path);
    expect(await assess(), 'a file that cannot be used').toMatchObject({ by: 'rules', rulesBecause: 'model_unavailable' });
    renameSync(`${path}.away`, path);
    expect(await assess()).toMatchObject({ by: 'model', reasons: 'approximate' });
    const stored = await inTenant((tx) =>
      tx
        .select()
        .from(riskAssessments)
        .where(and(eq(riskAssessments.subjectId, id), eq(riskAssessments.by, 'model'))),
    );
    expect(stored.every(({ modelId }) => modelId !== null)).toBe(true);
  });

  test('that cannot be used keeps nothing from being learned, and the training says what is wrong', async () => {
    const brought = await newestOwn();
    const { training } = learn({ examples, champion: null });
    if (!training.trained) throw new Error(training.detail);
    copyFileSync(join(models, 'six-columns.onnx'), path);
    const trained = await trainTenant(deps, shop.tenant.tenantId, { learn: () => Promise.resolve({ training, championQuality: null }) });
    expect(trained).toMatchObject({ outcome: 'promoted', detail: expect.stringContaining('6 columns') as unknown });
    // The file in use cannot be asked any more: what was learned takes its place.
    const roles = await inTenant((tx) => tx.select({ version: riskModels.version, role: riskModels.role }).from(riskModels));
    expect(roles.find(({ version }) => version === brought?.version)?.role).toBe('retired');
    expect((await newestLearned()).role).toBe('champion');
  });

  test('a night’s training calibrates and stores it beside what was learned from the store’s own outcomes', async () => {
    const owner = new pg.Client({ connectionString: shop.database.url });
    await owner.connect();
    const before = (await newestOwn())?.version ?? 0;
    try {
      await customersOfTwoYears(owner, 400);
    } finally {
      await owner.end();
    }
    copyFileSync(join(models, 'all-features.onnx'), path);
    const trained = await trainTenant(deps, shop.tenant.tenantId, { learn: (lesson) => Promise.resolve(learn(lesson)) });
    expect(trained?.detail).toContain('The store’s own model:');
    const brought = await newestOwn();
    expect(brought?.version, trained?.detail).toBeGreaterThan(before);
    expect(brought).toMatchObject({ model: { model: { kind: 'onnx' } }, examples: trained?.examples, lost: trained?.lost });
    // Only where it is better than what is in use it replaces that by itself.
    expect(brought?.role).toMatch(/^(champion|challenger)$/);
    expect((await use(brought?.version ?? 0)).status).toBe(200);
  });
});
