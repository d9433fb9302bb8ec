import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { hmacSignature } from '../../integrations/verify-signature.ts';
import { freePort } from '../../local/ports.ts';
import { acceptDelivery } from '../../operations/accept-delivery.ts';
import { changeCampaign, createCampaign, readCampaign } from '../../operations/campaigns/campaigns.ts';
import { routingPass } from '../../operations/campaigns/route-leads.ts';
import { ensureConnection } from '../../operations/connections.ts';
import type { BuiltDeps } from '../../operations/create-deps.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { loadPresets, publishPresets } from '../../operations/publish-presets.ts';
import { listLeads, readLead } from '../../operations/read/leads.ts';
import { readSequenceStats } from '../../operations/read/sequence-stats.ts';
import { type FarEnd, openFarEnd } from '../far-end.ts';
import { nullSender } from '../five-mails.ts';
import { largeTables, offence, recordPlans } from '../growth/plans.ts';
import { besideFloor, type Figure, flood, known, type Latency, type Measured, median, pace, type Table, until } from '../measure.ts';
import type { BenchOptions } from '../options.ts';
import { openDeps, openTenant, post, type Signed } from '../shop.ts';
import { asOwner, type BenchStack, endChild } from '../stack.ts';
import { fillLeads } from './fill.ts';

const width = 16;
const perRound = 400;
const patienceMs = 120_000;
/** So many are waited for, and so many a second come in: far below what one worker carries, or it would be its queue that is measured. */
const timed = { people: 60, perSecond: 2 };
/** How many rows one statement of a hot path may read, however large the tables are. */
const mostRows = 500;
const source = 'META';

interface LeadStore {
  deps: BuiltDeps;
  tenantId: string;
  campaignId: string;
  /** Where Meta notifies, and what signs it. */
  meta: { path: string; secret: string };
}

/**
 * Lead ads accepted per second, and how long each takes from the notification to the first email at the mail server, in a store without leads and then
 * beside so many that went through the preset `lead-nurture`. Beside a bare route that stores the same, and one that also writes an email.
 */
export async function measureLeads(stack: BenchStack, { leads, rounds, say, part }: BenchOptions): Promise<Measured> {
  const store = await openStore(stack);
  const figures: Figure[] = [];
  const latencies: Latency[] = [];
  const tables: Table[] = [];
  const at = async (name: string) => {
    const accepted = await part(`leads, accepted ${name}`, () => measureAccepted(stack, store, rounds));
    if (accepted !== null) {
      const { rates, floors, ms, floorMs } = accepted;
      figures.push(besideFloor(`leads_accepted_${name}`, median(rates), '1/s', median(floors), '>= 60 % of the floor', (ratio) => ratio >= 0.6));
      latencies.push({ name: `lead_accepted_${name}`, valuesMs: ms, floorMs });
    }
    const first = await part(`leads, first message ${name}`, () => measureFirstMessage(stack, store));
    if (first !== null) latencies.push({ name: `lead_first_message_${name}`, valuesMs: first.tookMs, floorMs: first.floorMs });
  };
  await at('empty');
  const size = await asOwner(stack.databaseUrl, async (owner) => {
    await fillLeads(owner, await aModel(store), leads, say);
    const { rows } = await owner.query<{ n: number; size: string }>(
      `select (select count(*)::int from subjects where kind = 'lead') as n, pg_size_pretty(pg_database_size(current_database())) as size`,
    );
    return rows[0];
  });
  await at('grown');
  const looked = await part('leads, plans', () => asOwner(stack.databaseUrl, (owner) => lookAtPlans(stack, store, owner)));
  if (looked !== null) {
    figures.push(looked.figure);
    tables.push(looked.table);
  }
  await store.deps.db.close();
  return {
    figures,
    latencies,
    tables,
    notes: [
      `grown: beside ${size?.n ?? 0} leads that went through lead-nurture, ${size?.size ?? ''} of tables and indexes; empty: a new store`,
      `accepted: ${width} lead ads at once with their fields, one API process, Temporal apart, no campaign that takes them; beside a bare insert`,
      `first message: ${timed.people} lead ads, ${timed.perSecond} a second, from the notification to the first byte of the welcome email; one API, one worker, Temporal's dev server; beside a route that inserts and writes an email`,
    ],
  };
}

async function openStore(stack: BenchStack): Promise<LeadStore> {
  const deps = openDeps(stack.databaseUrl, stack.masterKey, { defaultSenders: [nullSender] });
  const { tenantId } = await openTenant(deps, 'bench-leads');
  await publishPresets(deps, await loadPresets());
  const config = { appSecret: 'an-invented-app-secret', verifyToken: 'an-invented-token' };
  const { path } = await ensureConnection(deps, tenantId, { integration: 'meta', name: 'Lead ads', config, secrets: [] }, 'bench');
  const rules = { schedule: null, rate: null, call: null };
  const made = await createCampaign(deps, {
    ...{ tenantId, actor: 'bench', status: 'PAUSED' },
    fields: { name: 'Lead ads', sequence: 'lead-nurture', autoAssign: { sources: [source], maxLeads: null }, ...rules },
  });
  if (made.kind !== 'done') throw new Error(`the campaign was not made: ${made.kind}`);
  return { deps, tenantId, campaignId: made.view.campaign.id, meta: { path, secret: config.appSecret } };
}

/** So that leads are taken and contacted, or not. */
async function setActive({ deps, tenantId, campaignId }: LeadStore, status: 'ACTIVE' | 'PAUSED'): Promise<void> {
  await changeCampaign(deps, { tenantId, id: campaignId, actor: 'bench', fields: {}, status });
}

let made = 0;
const emailOf = (digits: number) => `lead-${digits}@example.com`;

/** A lead ad that nobody has filled in before, with everything in the notification. */
function aLeadAd({ meta }: LeadStore): Signed & { email: string; digits: number } {
  made += 1;
  const digits = 5_000_000 + made;
  const email = emailOf(digits);
  const value = {
    leadgen_id: `9000${digits}`,
    first_name: 'Ada',
    last_name: 'Example',
    email,
    phone_number: `+43664${digits}`,
    sub_id: `click-${digits}`,
  };
  const payload = JSON.stringify({ object: 'page', entry: [{ id: '1', changes: [{ field: 'leadgen', value }] }] });
  const signature = hmacSignature({ algorithm: 'sha256', encoding: 'hex' }, meta.secret, [payload]);
  return { path: meta.path, payload, headers: { 'x-hub-signature-256': `sha256=${signature}` }, email, digits };
}

async function measureAccepted(stack: BenchStack, store: LeadStore, rounds: number) {
  const [port, barePort] = [await freePort(), await freePort()];
  const environment = { DATABASE_URL: stack.databaseUrl, REKINDLE_MASTER_KEY: stack.masterKey.toString('base64'), LOG_LEVEL: 'fatal' };
  const api = await stack.spawn('api/server.ts', { ...environment, TEMPORAL_ADDRESS: `127.0.0.1:${await freePort()}`, PORT: String(port) });
  const bare = await stack.spawn('bench/floor-webhook.ts', { ...environment, PORT: String(barePort) });
  const run = (to: number, count: number, path?: string) => {
    const ads = Array.from({ length: count }, () => aLeadAd(store));
    return flood(count, width, async (index) => {
      const ad = ads[index];
      if (ad !== undefined) await post(to, path === undefined ? ad : { ...ad, path });
    });
  };
  const found = { rates: [] as number[], floors: [] as number[], ms: [] as number[], floorMs: [] as number[] };
  try {
    await run(port, 200);
    await run(barePort, 200, '/');
    for (let round = 0; round < rounds; round++) {
      const ours = await run(port, perRound);
      const floor = await run(barePort, perRound, '/');
      found.rates.push(perRound / ours.seconds);
      found.floors.push(perRound / floor.seconds);
      found.ms.push(...ours.latenciesMs);
      found.floorMs.push(...floor.latenciesMs);
    }
  } finally {
    await endChild(api);
    await endChild(bare);
  }
  // Nobody takes them: the worker that is measured next has nothing else to do.
  while (await routingPass(store.deps));
  return found;
}

async function measureFirstMessage(stack: BenchStack, store: LeadStore): Promise<{ tookMs: number[]; floorMs: number[] }> {
  const far = await openFarEnd();
  const [port, barePort] = [await freePort(), await freePort()];
  const environment = {
    DATABASE_URL: stack.databaseUrl,
    TEMPORAL_ADDRESS: stack.temporalAddress,
    REKINDLE_MASTER_KEY: stack.masterKey.toString('base64'),
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    SMTP_URL: far.url,
    LOG_LEVEL: 'fatal',
  };
  const api = await stack.spawn('api/server.ts', { ...environment, PORT: String(port) });
  const worker = await stack.spawn('worker/main.ts', { ...environment, METRICS_PORT: String(await freePort()) });
  const bare = await stack.spawn('bench/floor-leads.ts', { ...environment, PORT: String(barePort) });
  try {
    await setActive(store, 'ACTIVE');
    return { tookMs: await firstMessages(store, far, port), floorMs: await firstMessages(store, far, barePort, '/') };
  } finally {
    await setActive(store, 'PAUSED');
    for (const child of [worker, api, bare]) await endChild(child);
    await far.close();
  }
}

/** How long each of so many lead ads takes to the first byte of its email, in milliseconds; the first few are not counted. */
async function firstMessages(store: LeadStore, far: FarEnd, port: number, path?: string): Promise<number[]> {
  const one = async (): Promise<number> => {
    const ad = aLeadAd(store);
    const fromMs = performance.timeOrigin + performance.now();
    await post(port, path === undefined ? ad : { ...ad, path });
    await until(`the email to ${ad.email}`, () => Promise.resolve((far.seen.get(ad.email)?.bodyAtMs ?? null) !== null), patienceMs, 20);
    return (far.seen.get(ad.email)?.bodyAtMs ?? Number.NaN) - fromMs;
  };
  for (let n = 0; n < 5; n++) await one();
  const tookMs: number[] = [];
  await pace(timed.people, timed.perSecond, async () => void tookMs.push(await one()));
  return tookMs;
}

/** A lead that was taken in, routed and welcomed in this process: what the others are copies of. */
async function aModel(store: LeadStore): Promise<{ leadId: string; digits: string }> {
  const { deps, tenantId } = store;
  await setActive(store, 'ACTIVE');
  const ad = aLeadAd(store);
  await takeIn(store, ad);
  while (await routingPass(deps));
  const leadId = await idOf(store, ad.email);
  const [enrollment] = (await readLead(deps, tenantId, leadId))?.enrollments ?? [];
  if (enrollment === undefined) throw new Error('the lead to copy is in no sequence');
  await dispatchStep(deps, { tenantId, enrollmentId: enrollment.row.id, stepId: 'email_welcome' });
  await setActive(store, 'PAUSED');
  return { leadId, digits: String(ad.digits) };
}

async function takeIn({ deps }: LeadStore, { path, payload, headers }: Signed): Promise<void> {
  const delivery = { method: 'POST', url: `${deps.publicUrl}${path}`, raw: Buffer.from(payload), headers, receivedAtMs: Date.now() } as const;
  const answer = await acceptDelivery(deps, 'meta', path.split('/').at(-1) ?? null, delivery);
  if (answer.kind !== 'accepted') throw new Error(JSON.stringify(answer));
}

const aPage = { limit: 100, after: null };
async function idOf({ deps, tenantId }: LeadStore, email: string): Promise<string> {
  const found = await listLeads(deps, tenantId, { email }, aPage);
  return found.kind === 'found' ? (found.found.items[0]?.lead.id ?? '') : '';
}

/** Every way of a lead once more, with every statement explained; what reads figures of a whole store may read all of it, and says how long it took. */
async function lookAtPlans(stack: BenchStack, store: LeadStore, owner: pg.Client): Promise<{ figure: Figure; table: Table }> {
  await setActive(store, 'ACTIVE');
  const recorder = await recordPlans(owner);
  const large = await largeTables(owner, 1_000);
  // Connections of its own: the module is loaded when one is opened.
  const deps = openDeps(stack.databaseUrl, stack.masterKey, { defaultSenders: [nullSender] });
  const own = { ...store, deps };
  const { tenantId } = store;
  let latest = aLeadAd(store);
  const hot: [string, () => Promise<unknown>][] = [
    ['a lead ad is taken in', () => takeIn(own, (latest = aLeadAd(store)))],
    ['it is routed to its campaign', () => routingPass(deps)],
    [
      'its welcome is sent',
      async () => {
        const [enrollment] = (await readLead(deps, tenantId, await idOf(own, latest.email)))?.enrollments ?? [];
        await dispatchStep(deps, { tenantId, enrollmentId: enrollment?.row.id ?? randomUUID(), stepId: 'email_welcome' });
      },
    ],
    ['the same person fills in another', () => takeIn(own, again(store, latest.email))],
    ['leads by an address', () => listLeads(deps, tenantId, { email: latest.email }, aPage)],
    ['the newest leads', () => listLeads(deps, tenantId, {}, aPage)],
  ];
  const whole: [string, () => Promise<unknown>][] = [
    ['a campaign with its figures', () => readCampaign(deps, tenantId, store.campaignId)],
    ['the figures of a sequence, of a year', () => readSequenceStats(deps, tenantId, 'lead-nurture', Date.now() - 365 * 86_400_000)],
  ];
  const rows: (string | number)[][] = [];
  let offences = 0;
  for (const [name, act] of [...hot, ...whole]) {
    recorder.take();
    const fromMs = performance.now();
    await act();
    const ms = performance.now() - fromMs;
    const seen = recorder.take();
    const isHot = hot.some(([one]) => one === name);
    const found = isHot ? seen.flatMap((s) => offence(s, large, mostRows) ?? []) : [];
    offences += found.length;
    rows.push([
      name,
      ms,
      seen.length,
      Math.max(0, ...seen.map((s) => s.rowsRead)),
      isHot ? (found.length === 0 ? 'none' : found.join('; ')) : 'by its nature',
    ]);
  }
  await recorder.stop();
  await deps.db.close();
  await setActive(store, 'PAUSED');
  return {
    figure: known('leads_plans_that_grow', offences, 'statements'),
    table: {
      title: 'What each does beside the grown tables, explained as it runs',
      columns: ['Action', 'ms', 'Statements', 'Most rows of one', 'Growing'],
      rows,
    },
  };
}

/** A lead ad with the address of another. */
function again(store: LeadStore, email: string): Signed {
  const ad = aLeadAd(store);
  const payload = ad.payload.replace(ad.email, email);
  const signature = hmacSignature({ algorithm: 'sha256', encoding: 'hex' }, store.meta.secret, [payload]);
  return { path: ad.path, payload, headers: { 'x-hub-signature-256': `sha256=${signature}` } };
}
