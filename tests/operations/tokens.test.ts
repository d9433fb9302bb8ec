import { afterEach, beforeEach, expect, test } from 'vitest';
import { eq } from 'drizzle-orm';
import { connections, connectionTokens } from '../../db/schema/index.ts';
import { createConnection, readConnection } from '../../operations/connections.ts';
import { accessTokensOf } from '../../operations/tokens.ts';
import { ask } from '../api/left-carts.ts';
import { client, type OAuthServer, startOAuthServer } from '../helpers/oauth-server.ts';
import { openShop, type Shop } from '../helpers/shop.ts';
import { locationId } from '../integrations/gohighlevel/conformance.ts';

// OAuth: docs/adr/0056-tokens-that-count-once.md

let shop: Shop;
let server: OAuthServer;
let id: string;
let config: object;
beforeEach(async () => {
  shop ??= await openShop({ timeScale: 1 });
  server = await startOAuthServer(locationId);
  config = { locationId, app: client, baseUrl: `http://127.0.0.1:${server.port}` };
  const made = await createConnection(shop.deps, shop.tenant.tenantId, { integration: 'gohighlevel', name: 'app', config, secrets: [] }, 'test');
  if (made.kind !== 'created') throw new Error(JSON.stringify(made));
  id = made.connection.id;
});
afterEach(() => server.close());

const own = <T>(work: Parameters<typeof shop.deps.db.withTenant<T>>[1]) => shop.deps.db.withTenant(shop.tenant.tenantId, work);
const authorise = (code: string) => ask(shop, shop.tenant.apiKey, `/api/connections/${id}/authorise`, 'POST', { code });
/** As another process has it. */
const tokens = () => accessTokensOf(shop.deps, { tenantId: shop.tenant.tenantId, connectionId: id, integration: 'gohighlevel', config });
const change = (set: object) => own((tx) => tx.update(connectionTokens).set(set).where(eq(connectionTokens.connectionId, id)));
const nearlyOver = () => change({ expiresAt: Date.now() + 3_600_000 });
const rowOf = async () => (await own((tx) => tx.select().from(connectionTokens).where(eq(connectionTokens.connectionId, id))))[0];
const faultOf = async () => (await readConnection(shop.deps, shop.tenant.tenantId, id))?.fault;

test('a code lets the connection in once, and its tokens are stored sealed', async () => {
  await expect(tokens().current()).rejects.toThrow('not authorised yet');
  expect((await authorise('a-wrong-code')).status).toBe(400);
  const code = server.newCode();
  expect(await authorise(code)).toMatchObject({ status: 200, body: { id, fault: null } });
  expect(await tokens().current()).toBe(server.accessToken());
  expect((await authorise(code)).status).toBe(400);
  const stored = JSON.stringify(await rowOf());
  expect(stored).not.toContain('access-');
  expect(stored).not.toContain('refresh-');
});

test('a code of another location is not accepted', async () => {
  const other = await startOAuthServer('loc_another');
  const elsewhere = JSON.stringify({ ...config, baseUrl: `http://127.0.0.1:${other.port}` });
  await own((tx) =>
    tx
      .update(connections)
      .set({ sealedConfig: shop.deps.sealing.seal(elsewhere) })
      .where(eq(connections.id, id)),
  );
  const { status, body } = await authorise(other.newCode());
  expect(status).toBe(400);
  expect(JSON.stringify(body)).toContain('another location');
  await other.close();
});

test('of many workers that find the token near its end, one renews it', async () => {
  await authorise(server.newCode());
  await nearlyOver();
  const found = await Promise.all(Array.from({ length: 12 }, () => tokens().current()));
  expect(server.asked.filter((kind) => kind === 'refresh_token')).toHaveLength(1);
  // The others go on with the one that still counts, or have the new one already.
  for (const token of found) expect(['access-2', 'access-3']).toContain(token);
  expect(await tokens().current()).toBe(server.accessToken());
  expect(await rowOf()).toMatchObject({ generation: 1, renewer: null });
});

test('where the token is over, the others wait for the one who renews it', async () => {
  await authorise(server.newCode());
  await change({ expiresAt: Date.now() - 1 });
  expect(new Set(await Promise.all(Array.from({ length: 6 }, () => tokens().current())))).toEqual(new Set([server.accessToken()]));
  expect(server.asked).toEqual(['authorization_code', 'refresh_token']);
});

test('a crash between the answer and its storing loses nothing: the next one is let in by the app’s own secret', async () => {
  await authorise(server.newCode());
  await change({ expiresAt: Date.now() - 1 });
  // The provider has taken the refresh token back, and whoever asked dies before the answer is stored.
  const dying = { ...shop.deps, db: { ...shop.deps.db } };
  let dead = false;
  dying.db.withTenant = (tenantId, work, wanted) => (dead ? new Promise(() => undefined) : shop.deps.db.withTenant(tenantId, work, wanted));
  const granted = new Promise<void>((done) => {
    server.onGranted = () => {
      dead = true;
      done();
    };
  });
  void accessTokensOf(dying, { tenantId: shop.tenant.tenantId, connectionId: id, integration: 'gohighlevel', config }).current();
  await granted;
  server.onGranted = () => undefined;
  const lost = await rowOf();
  expect(lost).toMatchObject({ generation: 0, renewer: expect.any(String) });
  // While its lease lives nobody asks again.
  await expect(tokens().current()).rejects.toThrow('could not be renewed yet');
  await change({ renewingSince: Date.now() - 61_000 });
  expect(await tokens().current()).toBe(server.accessToken());
  expect(server.asked).toEqual(['authorization_code', 'refresh_token', 'refresh_token', 'reconnect', 'authorization_code']);
  expect(await rowOf()).toMatchObject({ generation: 1, renewer: null });
  expect(await faultOf()).toBeNull();
});

test('one who was taken for dead and comes back writes nothing over the newer tokens', async () => {
  await authorise(server.newCode());
  await change({ expiresAt: Date.now() - 1 });
  let goOn = () => {};
  const held = new Promise<void>((done) => (goOn = done));
  const granted = new Promise<void>((done) => {
    server.onGranted = () => {
      server.onGranted = () => undefined;
      done();
      return held;
    };
  });
  const slow = tokens()
    .current()
    .catch(() => 'none');
  await granted;
  await change({ renewingSince: Date.now() - 61_000 });
  const renewed = await tokens().current();
  goOn();
  expect([renewed, 'none']).toContain(await slow);
  expect(shop.deps.sealing.open((await rowOf())?.sealedAccess ?? '')).toBe(renewed);
  expect(renewed).toBe(server.accessToken());
});

test('an app that is not let in any more is a fault of the connection, and its token is used to its end', async () => {
  await authorise(server.newCode());
  const before = server.accessToken();
  await nearlyOver();
  server.uninstall();
  expect(await tokens().current()).toBe(before);
  expect(await faultOf()).toContain('rekindle connections authorise');
  await change({ expiresAt: Date.now() - 1 });
  await expect(tokens().current()).rejects.toThrow('could not be renewed');
});

test('a token that the provider refuses is renewed once, by whoever has it', async () => {
  await authorise(server.newCode());
  const first = await tokens().current();
  await Promise.all([tokens().refused(first), tokens().refused(first)]);
  const second = await tokens().current();
  expect(second).not.toBe(first);
  // It is not the one that counts any more.
  await tokens().refused(first);
  expect(await tokens().current()).toBe(second);
  expect(server.asked.filter((kind) => kind === 'refresh_token')).toHaveLength(1);
});

test('tokens of another app or location do not count', async () => {
  await authorise(server.newCode());
  const moved = { ...config, locationId: 'loc_0009abcdefghijklmn' };
  const holder = { tenantId: shop.tenant.tenantId, connectionId: id, integration: 'gohighlevel', config: moved };
  await expect(accessTokensOf(shop.deps, holder).current()).rejects.toThrow('not authorised yet');
});
