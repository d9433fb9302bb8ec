import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../../cli/main.ts';
import { firstKey, issueKey } from '../../operations/api-keys.ts';
import { may, type Role, roleNames } from '../../operations/access.ts';
import { asOwner } from '../helpers/database.ts';
import { openShop, type Shop } from '../helpers/shop.ts';
import { anotherStore, ask, type Method } from './left-carts.ts';

// Keys, and what each role may: docs/rules.md#rule-87

let shop: Shop;
const keys: Partial<Record<Role, string>> = {};
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  for (const role of roleNames) keys[role] = (await issueKey(shop.deps, shop.tenant.tenantId, { ...firstKey, name: role, role }, 'test')).apiKey;
});
afterAll(() => shop.close());
const by = (key: string | undefined, url: string, method: Method = 'GET', body?: Record<string, unknown>) => ask(shop, key ?? '', url, method, body);
const own = (url: string, method: Method = 'GET', body?: Record<string, unknown>) => by(shop.tenant.apiKey, url, method, body);
interface Operation {
  'x-permission'?: 'read' | 'operate' | 'edit' | 'administer' | 'own';
  security?: Record<string, unknown>[];
}

describe('what a role may', () => {
  test('every route that needs a store’s key says what it needs, and is closed to every role that may not', async () => {
    const { paths } = (await own('/openapi.json')).body as { paths: Record<string, Record<string, Operation>> };
    const nobody = '018f0000-0000-7000-8000-000000000000';
    let tried = 0;
    for (const [path, methods] of Object.entries(paths))
      for (const [method, operation] of Object.entries(methods)) {
        if (!(operation.security ?? []).some((one) => 'apiKey' in one)) continue;
        const needed = operation['x-permission'];
        if (needed === undefined) throw new Error(`${method} ${path} says nothing`);
        const url = path.replaceAll(/\{\w+\}/g, nobody);
        for (const role of roleNames) {
          if (may(role, needed)) continue;
          const answer = await by(keys[role], url, method.toUpperCase() as Method, method === 'get' ? undefined : {});
          expect([answer.status, (answer.body as { code: string }).code], `${role} ${method} ${path}`).toEqual([403, 'forbidden']);
          tried++;
        }
      }
    expect(tried).toBeGreaterThan(150);
  });

  test.each([
    ['GET', '/api/enrollments', 'viewer'],
    ['POST', '/recovery/sequences/018f0000-0000-7000-8000-000000000000/stop?reason=x', 'agent'],
    ['PUT', '/api/sequences/cart/draft', 'editor'],
    ['PATCH', '/api/settings', 'admin'],
    ['GET', '/api/keys', 'owner'],
  ] as const)('%s %s is open to the role %3$s, and to those above it', async (method, url, least) => {
    for (const role of roleNames) {
      const answer = await by(keys[role], url, method, method === 'GET' ? undefined : {});
      expect(answer.status === 403, role).toBe(roleNames.indexOf(role) < roleNames.indexOf(least));
    }
  });

  test('a refusal says what is missing and who has it', async () => {
    const { body } = await by(keys.viewer, '/api/settings', 'PATCH', {});
    expect(body).toMatchObject({
      code: 'forbidden',
      permission: 'administer',
      detail: 'This needs the permission `administer`, which the role viewer does not have. Ask an owner of the store for the role admin.',
    });
  });
});

describe('a key', () => {
  test('is shown once, and afterwards known by its beginning, its role and its last use', async () => {
    const made = (await own('/api/keys', 'POST', { name: 'The till', role: 'agent' })).body as { id: string; api_key: string };
    const listed = async () => ((await own('/api/keys?limit=500')).body as { data: Record<string, unknown>[] }).data.find(({ id }) => id === made.id);
    expect(await listed()).toMatchObject({ name: 'The till', role: 'agent', prefix: made.api_key.slice(0, 9), last_used_at: null, expires_at: null });
    expect(JSON.stringify((await own('/api/keys?limit=500')).body)).not.toContain(made.api_key);
    expect((await by(made.api_key, '/api/tasks')).status).toBe(200);
    await expect.poll(async () => (await listed())?.['last_used_at']).not.toBeNull();
  });

  test('opens nothing once it has expired', async () => {
    expect(await own('/api/keys', 'POST', { name: 'late', expires_at: '2020-01-01T00:00:00Z' })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'body/expires_at', message: 'lies in the past' }] },
    });
    const made = (await own('/api/keys', 'POST', { name: 'short', expires_at: new Date(Date.now() + 60_000).toISOString() })).body as {
      api_key: string;
    };
    expect((await by(made.api_key, '/api/tasks')).status).toBe(200);
    await asOwner(shop.database.url, `update api_keys set expires_at = now() where name = 'short'`);
    expect((await by(made.api_key, '/api/tasks')).status).toBe(401);
  });

  test('is rotated without a gap, or at once', async () => {
    const old = (await own('/api/keys', 'POST', { name: 'rotated', role: 'editor' })).body as { id: string; api_key: string };
    const next = (await own(`/api/keys/${old.id}/rotate`, 'POST', { overlap_hours: 1 })).body as {
      id: string;
      api_key: string;
      old_valid_until: string;
    };
    expect(Date.parse(next.old_valid_until) - Date.now()).toBeLessThanOrEqual(3_600_000);
    for (const key of [old.api_key, next.api_key]) expect((await by(key, '/api/sequences')).status).toBe(200);
    expect((await by(next.api_key, '/api/settings', 'PATCH', {})).status).toBe(403);
    const last = (await own(`/api/keys/${next.id}/rotate`, 'POST', { overlap_hours: 0 })).body as { api_key: string };
    expect((await by(next.api_key, '/api/sequences')).status).toBe(401);
    expect((await by(last.api_key, '/api/sequences')).status).toBe(200);
    expect(await own(`/api/keys/${next.id}/rotate`, 'POST', {})).toMatchObject({ status: 404, body: { code: 'unknown_key' } });
  });

  test('is revoked, and another store’s is not there', async () => {
    const made = (await own('/api/keys', 'POST', { name: 'gone' })).body as { id: string; api_key: string };
    const other = await anotherStore(shop, 'another-store');
    for (const [path, method] of [
      ['', 'DELETE'],
      ['/rotate', 'POST'],
    ] as const)
      expect((await by(other.apiKey, `/api/keys/${made.id}${path}`, method, method === 'POST' ? {} : undefined)).status).toBe(404);
    expect((await own(`/api/keys/${made.id}`, 'DELETE')).status).toBe(204);
    expect((await by(made.api_key, '/api/sequences')).status).toBe(401);
    expect((await own(`/api/keys/${made.id}`, 'DELETE')).status).toBe(404);
  });
});

test('the command issues, shows, rotates and revokes', async () => {
  const url = await shop.app.listen({ host: '127.0.0.1', port: 0 });
  const run = async (...args: string[]) => {
    const said: string[] = [];
    const before = { ...process.env };
    Object.assign(process.env, { REKINDLE_API_URL: url, REKINDLE_API_KEY: shop.tenant.apiKey });
    const say = (text: string) => void said.push(text);
    const code = await main(args, say, say, () => Promise.resolve(true));
    process.env = before;
    return { code, said: said.join('\n') };
  };
  const issued = await run('keys', 'issue', 'By command', '--role', 'editor', '--json');
  const { id, api_key } = JSON.parse(issued.said) as { id: string; api_key: string };
  expect((await run('keys')).said).toMatch(new RegExp(`${id}  ${api_key.slice(0, 9)}…  editor  By command, never used`));
  expect(await run('keys', 'rotate', id, '--overlap-hours', '0')).toMatchObject({ code: 0, said: expect.stringContaining('rk_') as string });
  expect((await by(api_key, '/api/sequences')).status).toBe(401);
  expect(await run('keys', 'issue', 'x', '--role', 'king')).toMatchObject({ code: 2 });
  expect(await run('keys', 'revoke', id)).toMatchObject({ code: 0 });
});
