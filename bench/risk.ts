import type pg from 'pg';
import { assessAccount } from '../domain/risk/assess.ts';
import type { Behaviour } from '../domain/risk/behaviour.ts';
import { usualThresholds } from '../domain/risk/bands.ts';
import type { BuiltDeps } from '../operations/create-deps.ts';
import { loadPresets } from '../operations/publish-presets.ts';
import { publishPreset } from '../operations/publish-sequence.ts';
import { assessAccounts, readHistories } from '../operations/risk/assess.ts';
import { readChampion } from '../operations/risk/champion.ts';
import { learn } from '../operations/risk/learn-now.ts';
import { trainTenant } from '../operations/risk/train-models.ts';
import { noTelemetry } from '../operations/telemetry.ts';
import { changeState } from '../operations/versions/change-state.ts';
import { budgeted, known, type Latency, type Measured, quantile, untilCount } from './measure.ts';
import { openRecovery } from './recovery.ts';
import { openDeps, openTenant } from './shop.ts';
import { asOwner, type BenchStack } from './stack.ts';

const prediction = { what: 'no_purchase', withinDays: 60 } as const;
const page = 200;
const side = 4;

/**
 * Accounts that are all to be assessed at one moment, and begin the sequence of their band: how long each stage takes, from the model's arithmetic to the
 * last sequence that has begun. The floor is the same arithmetic over the same histories in a bare loop, without a database.
 * @param sizes - how many accounts, one store for each
 */
export async function measureRisk(stack: BenchStack, sizes: readonly number[], say: (line: string) => void): Promise<Measured> {
  const measured: Measured = { figures: [], latencies: [], notes: [] };
  // Before the others, whose sequences no worker starts: it would start them as well.
  const [first = 0] = sizes;
  if (first > 0) await firstActions(stack, first, measured, say);
  for (const size of sizes) {
    const deps = openDeps(stack.databaseUrl, stack.masterKey, { smtpUrl: 'smtp://127.0.0.1:9' });
    try {
      await one(stack, deps, size, measured, say);
    } finally {
      await deps.db.close();
    }
  }
  return measured;
}

/** In a store of its own while a worker runs beside it: from the moment at which an account came into its band until its first action was taken. */
async function firstActions(stack: BenchStack, size: number, measured: Measured, say: (line: string) => void): Promise<void> {
  const actedMs: number[] = [];
  const { deps, close } = await openRecovery(stack, { telemetry: { ...noTelemetry, firstAction: (ms) => void actedMs.push(ms) } });
  try {
    const { tenantId, ids } = await openStore(stack, deps, `bench-risk-actions-${size}`, size);
    await trainTenant(deps, tenantId, { learn: (lesson) => Promise.resolve(learn(lesson)) });
    say(`risk: assessing ${size} accounts at once, with a worker that acts on it`);
    const begun = (await assessed(deps, tenantId, ids)).filter((one) => one.begun !== null).length;
    await untilCount({ what: 'first actions', target: begun, count: () => Promise.resolve(actedMs.length) });
    measured.latencies?.push({ name: `risk_${size}_first_action`, valuesMs: actedMs, floorMs: null });
    const p99 = quantile(actedMs, 0.99) / 1_000;
    measured.figures.push(budgeted(`risk_${size}_first_action_p99`, p99, 's', '< 30 s from detection to the first action', (s) => s < 30));
  } finally {
    await close();
  }
}

async function one(stack: BenchStack, deps: BuiltDeps, size: number, measured: Measured, say: (line: string) => void): Promise<void> {
  say(`risk: ${size} accounts with their behaviour`);
  const { tenantId, ids } = await openStore(stack, deps, `bench-risk-${size}`, size);
  say('risk: learning');
  const training = await trainTenant(deps, tenantId, { learn: (lesson) => Promise.resolve(learn(lesson)) });
  measured.notes?.push(`risk, ${size} accounts: ${training?.outcome ?? 'nothing to learn from'}, ${training?.detail ?? ''}`);
  const floorMs = await bareLoop(deps, tenantId, ids);
  say('risk: assessing all of them at once');
  const stages: { inference: number[]; assessment: number[] } = { inference: [], assessment: [] };
  const watched: BuiltDeps = {
    ...deps,
    telemetry: {
      ...deps.telemetry,
      riskAnswered: () => undefined,
      riskStage: (stage: 'inference' | 'assessment', ms: number) => void stages[stage].push(ms),
    },
  };
  const startMs = performance.now();
  const doneMs: number[] = [];
  const begunMs: number[] = [];
  for (const { begun, tookMs } of await assessed(watched, tenantId, ids)) {
    doneMs.push(tookMs);
    if (begun !== null) begunMs.push(tookMs);
  }
  const seconds = (performance.now() - startMs) / 1_000;
  if (begunMs.length === 0) throw new Error('nobody was at risk: there is nothing to measure');
  const name = (stage: string) => `risk_${size}_${stage}`;
  const latencies: Latency[] = [
    { name: name('inference'), valuesMs: stages.inference, floorMs },
    { name: name('assessment'), valuesMs: stages.assessment, floorMs: null },
    { name: name('until_assessed'), valuesMs: doneMs, floorMs: null },
    { name: name('until_sequence'), valuesMs: begunMs, floorMs: null },
  ];
  measured.latencies?.push(...latencies);
  const bareSeconds = floorMs.reduce((sum, ms) => sum + ms, 0) / 1_000;
  // The budgets are those of a thousand at once.
  const [assessment, sequence] = [quantile(stages.assessment, 0.99), quantile(begunMs, 0.99) / 1_000];
  measured.figures.push(
    known(name('rate'), size / seconds, 'accounts/s', size / bareSeconds),
    budgeted(name('inference_p99'), quantile(stages.inference, 0.99), 'ms', '< 100 ms', (ms) => ms < 100),
    size > 1_000 ? known(name('assessment_p99'), assessment, 'ms') : budgeted(name('assessment_p99'), assessment, 'ms', '< 200 ms', (ms) => ms < 200),
    size > 1_000
      ? known(name('sequence_p99'), sequence, 's')
      : budgeted(name('sequence_p99'), sequence, 's', '< 30 s from detection to the sequence', (s) => s < 30),
  );
  measured.notes?.push(
    `risk, ${size} accounts: ${begunMs.length} came into a band and began its sequence; ${page} at a time, ${side} pages side by side`,
  );
}

/** A store with the presets for accounts at risk, switched on, and so many accounts. */
async function openStore(stack: BenchStack, deps: BuiltDeps, slug: string, size: number): Promise<{ tenantId: string; ids: string[] }> {
  const { tenantId } = await openTenant(deps, slug);
  for (const preset of await loadPresets())
    if (preset.definition.on === 'risk.entered') {
      await publishPreset(deps, tenantId, preset);
      await changeState(deps, { tenantId, slug: preset.definition.sequence, change: 'resume', actor: 'bench', note: null });
    }
  return { tenantId, ids: await asOwner(stack.databaseUrl, (owner) => fill(owner, tenantId, size)) };
}

/** Assess all of them at once. @returns of each, how many milliseconds after the beginning its page was done */
async function assessed(deps: BuiltDeps, tenantId: string, ids: readonly string[]) {
  const startMs = performance.now();
  const found: { begun: string | null; tookMs: number }[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: side }, async () => {
      while (next < ids.length) {
        const some = ids.slice(next, (next += page));
        const result = await assessAccounts(deps, tenantId, some, 'portfolio');
        const tookMs = performance.now() - startMs;
        if (result.failed.length > 0) throw new Error(`${result.failed.length} accounts could not be assessed`);
        found.push(...result.assessed.map(({ begun }) => ({ begun, tookMs })));
      }
    }),
  );
  if (found.length !== ids.length) throw new Error(`${found.length} of ${ids.length} were assessed`);
  return found;
}

/** The same arithmetic over the same histories, without a database. @returns milliseconds of each */
async function bareLoop(deps: BuiltDeps, tenantId: string, ids: readonly string[]): Promise<number[]> {
  const atMs = Date.now();
  const champion = await deps.db.withTenant(tenantId, (tx) => readChampion(tx, deps, prediction));
  const histories: Behaviour[][] = [];
  for (let from = 0; from < ids.length; from += page)
    for (const history of (await deps.db.withTenant(tenantId, (tx) => readHistories(tx, ids.slice(from, from + page), atMs))).values())
      if (history !== 'unreadable') histories.push(history);
  const by = { champion, thresholds: usualThresholds, silentRanks: [] };
  for (const history of histories.slice(0, 500)) assessAccount(history, atMs, by);
  return histories.map((history) => {
    const startMs = performance.now();
    assessAccount(history, atMs, by);
    return performance.now() - startMs;
  });
}

/** Rows alone, as the owner: each account has a rhythm of its own, and a fifth stopped buying some weeks ago. @returns the accounts' ids */
async function fill(owner: pg.Client, tenantId: string, size: number): Promise<string[]> {
  const statements = [
    `select setseed(0.5)`,
    `create temp table made on commit preserve rows as select n, gen_random_uuid() as contact, gen_random_uuid() as account, 5 + random() * 40 as rhythm,
       case when random() < 0.2 then 20 + random() * 60 else random() * 15 end as away from generate_series(1, ${size}) n`,
    `insert into contacts (tenant_id, id, person_id) select '${tenantId}', contact, contact from made`,
    `insert into contact_identities (tenant_id, id, contact_id, kind, value)
       select '${tenantId}', gen_random_uuid(), contact, 'email', 'customer-${size}-' || n || '@example.com' from made`,
    `insert into subjects (tenant_id, id, kind, contact_id, state, started_at, last_activity_at, details, details_version)
       select '${tenantId}', account, 'account', contact, 'open', now() - interval '700 days', now() - make_interval(secs => away * 86400),
         '{"name":null,"url":null,"area":null,"band":"none"}', 1 from made`,
    `insert into behaviours (tenant_id, id, subject_id, key, kind, data, occurred_at)
       select '${tenantId}', gen_random_uuid(), account, 'bench:' || i, case when random() < 0.4 then 'order' else 'visit' end, '{}',
         now() - make_interval(secs => (away + i * rhythm * (0.5 + random())) * 86400) from made, generate_series(0, 15) i`,
    `update behaviours set data = '{"amount":"49.90","currency":"EUR"}' where tenant_id = '${tenantId}' and kind = 'order'`,
    'analyze contacts, contact_identities, subjects, behaviours',
  ];
  for (const statement of statements) await owner.query(statement);
  const { rows } = await owner.query<{ account: string }>('select account from made');
  await owner.query('drop table made');
  return rows.map(({ account }) => account);
}
