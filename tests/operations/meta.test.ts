import { and, eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connections, lookups, quarantine, subjectKeys, subjects } from '../../db/schema/index.ts';
import { graphVersion } from '../../integrations/meta/config.ts';
import { type LocalGraph, startLocalGraph } from '../../local/meta/graph.ts';
import { changeConnection, ensureConnection } from '../../operations/connections.ts';
import { createLookupWorker, type LookupWorker } from '../../operations/lookups.ts';
import { replayQuarantined } from '../../operations/replay-quarantine.ts';
import { leadgen, signMeta } from '../integrations/meta/conformance.ts';
import { letTimePass, openShop, type Shop, until } from '../helpers/shop.ts';

let shop: Shop;
let graph: LocalGraph;
let worker: LookupWorker;
let connection: { id: string; path: string };
const config = (pageAccessToken: string) => ({ appSecret: 'an-app-secret', verifyToken: 'verify-me', pageAccessToken, baseUrl: graph.url });

beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  graph = await startLocalGraph({ appSecret: 'an-app-secret', token: 'a-token' });
  const request = { integration: 'meta', name: 'Lead ads', config: config('a-token'), secrets: [] };
  connection = await ensureConnection(shop.deps, shop.tenant.tenantId, request, 'test');
  worker = createLookupWorker(shop.deps);
});
afterAll(async () => {
  await worker.stop();
  await graph.close();
  await shop.close();
});

const rows = <T>(query: (tx: Parameters<Parameters<Shop['deps']['db']['withTenant']>[1]>[0]) => Promise<T>) =>
  shop.deps.db.withTenant(shop.tenant.tenantId, query);

async function notify(...values: object[]) {
  const raw = leadgen(...values);
  const headers = { 'content-type': 'application/json', 'x-hub-signature-256': signMeta('an-app-secret', raw) };
  const response = await shop.app.inject({ method: 'POST', url: '/api/webhooks/meta', headers, payload: raw });
  return [response.statusCode, response.json<{ status: string }>().status];
}

const leadOf = (id: string) =>
  rows(async (tx) => {
    const found = await tx
      .select({ subject: subjects })
      .from(subjects)
      .innerJoin(subjectKeys, eq(subjectKeys.subjectId, subjects.id))
      .where(and(eq(subjectKeys.value, id), eq(subjectKeys.kind, 'lead')));
    expect(found.length).toBeLessThan(2);
    return found[0]?.subject ?? null;
  });
const lookupOf = (id: string) =>
  rows(async (tx) => {
    const [row] = await tx
      .select()
      .from(lookups)
      .where(eq(lookups.key, `leadgen:${id}`));
    return row ?? null;
  });
const faultNow = () => rows(async (tx) => (await tx.select().from(connections).where(eq(connections.id, connection.id)))[0]?.fault ?? null);

/** Rounds until nothing is due. */
async function settled(id: string, done: (row: typeof lookups.$inferSelect) => boolean) {
  return until(`the look-up of ${id}`, async () => {
    await worker.pass();
    const row = await lookupOf(id);
    return row !== null && done(row) ? row : null;
  });
}
const isDone = ({ state }: { state: string }) => state === 'done';
const wasAsked =
  (times: number) =>
  ({ attempts, lastError }: { attempts: number; lastError: string | null }) =>
    attempts === times && lastError !== null;

const answers = (email: string) => [
  { name: 'full_name', values: ['Ana Example'] },
  { name: 'email', values: [email] },
  { name: 'which_district?', values: ['Marina'] },
];
const asked = (id: string) => graph.requests.filter((request) => request.id === id);

test('the handshake is answered at the address of the integration', async () => {
  const url = '/api/webhooks/meta?hub.mode=subscribe&hub.challenge=1158201444';
  const right = await shop.app.inject({ url: `${url}&hub.verify_token=verify-me` });
  expect([right.statusCode, right.headers['content-type'], right.body]).toEqual([200, 'text/plain; charset=utf-8', '1158201444']);
  expect((await shop.app.inject({ url: `${url}&hub.verify_token=guess` })).statusCode).toBe(403);
});

test('a lead of which only the id came is fetched once, however often and in whatever batches it is named', async () => {
  graph.put('900000000000000001', { answers: answers('ana@example.com') });
  graph.put('900000000000000002', { answers: answers('bo@example.com') });
  expect(await notify({ leadgen_id: '900000000000000001' })).toEqual([200, 'pending']);
  expect(await notify({ leadgen_id: '900000000000000001' })).toEqual([200, 'repeated']);
  expect(await notify({ leadgen_id: '900000000000000002' }, { leadgen_id: '900000000000000001' })).toEqual([200, 'pending']);
  await settled('900000000000000002', isDone);
  await settled('900000000000000001', isDone);
  expect(asked('900000000000000001')).toHaveLength(1);
  expect(asked('900000000000000001')[0]).toMatchObject({ version: graphVersion });
  expect(await leadOf('900000000000000001')).toMatchObject({
    kind: 'lead',
    email: 'ana@example.com',
    details: { source: 'META', attributes: { 'which_district?': 'Marina' } },
  });
});

test('an answer that says nothing is asked for again later, and lasts longer each time', async () => {
  graph.put('11', { answers: answers('cleo@example.com') });
  graph.next({ act: 'error', code: 2, transient: true }, { act: 'status', status: 502 }, { act: 'break' });
  await notify({ leadgen_id: '11' });
  const pauses: number[] = [];
  for (let times = 1; times <= 3; times++) {
    const row = await settled('11', wasAsked(times));
    pauses.push(Math.round((row.nextAt - Date.now()) / 1_000));
    await letTimePass(shop, 10_000);
    await rows((tx) => tx.update(lookups).set({ lastError: null }).where(eq(lookups.id, row.id)));
  }
  await settled('11', isDone);
  expect(pauses[0]).toBeLessThan(pauses[1] ?? 0);
  expect(pauses[1]).toBeLessThan(pauses[2] ?? 0);
  expect(asked('11')).toHaveLength(4);
  expect(await leadOf('11')).not.toBeNull();
});

test('a token that is refused marks the connection, and its leads come once it is replaced; the leads of others do not wait', async () => {
  graph.put('21', { answers: answers('dora@example.com') });
  graph.acceptToken('another-token');
  await notify({ leadgen_id: '21' });
  const { lockedOut } = await settled('21', (row) => row.lockedOut);
  expect([lockedOut, await faultNow()]).toEqual([true, expect.stringContaining('token')]);
  // What carries its fields needs no token.
  expect(await notify({ leadgen_id: '22', email: 'emil@example.com' })).toEqual([200, 'applied']);
  await worker.pass();
  expect(asked('21')).toHaveLength(1);
  await changeConnection(shop.deps, shop.tenant.tenantId, connection.id, { config: config('another-token') }, 'test');
  await settled('21', isDone);
  expect(await faultNow()).toBeNull();
  expect(await leadOf('21')).not.toBeNull();
});

test('a lead that does not exist any more is set aside with the reason, and a replay asks once more', async () => {
  graph.put('31', null);
  await notify({ leadgen_id: '31' });
  await settled('31', ({ state }) => state === 'set_aside');
  const [kept] = await rows((tx) => tx.select().from(quarantine));
  expect(kept).toMatchObject({ topic: 'leadgen', reason: expect.stringContaining('does not exist any more'), mayBeStop: false });
  expect(await replayQuarantined(shop.deps, shop.tenant.tenantId, kept?.id ?? '')).toMatchObject({ kind: 'still_unreadable' });
  graph.put('31', { answers: answers('fay@example.com') });
  expect(await replayQuarantined(shop.deps, shop.tenant.tenantId, kept?.id ?? '')).toMatchObject({ kind: 'applied', events: ['lead.created'] });
  expect(await replayQuarantined(shop.deps, shop.tenant.tenantId, kept?.id ?? '')).toMatchObject({ kind: 'already_released' });
  expect(await leadOf('31')).toMatchObject({ email: 'fay@example.com' });
});

test('what a worker had begun when it died is asked again by another', async () => {
  graph.put('41', { answers: answers('gus@example.com') });
  graph.next({ act: 'hang' });
  await notify({ leadgen_id: '41' });
  const dying = createLookupWorker(shop.deps);
  await dying.pass();
  await until('the request', () => asked('41').length === 1);
  await dying.stop();
  await settled('41', isDone);
  expect(asked('41')).toHaveLength(2);
  expect(await leadOf('41')).not.toBeNull();
});
