import { randomBytes, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Checkpoint } from '../../operations/deps.ts';
import { useOwnKeys } from '../../operations/keys/own-keys.ts';
import { countSealed, resealAll } from '../../operations/keys/reseal.ts';
import { createSealing, type Sealing } from '../../operations/sealing.ts';
import { openShop, type Shop } from '../helpers/shop.ts';

// The master key is replaced while everything runs: docs/rules.md#rule-77

let shop: Shop;
let owner: pg.Client;
let crashAfter = Number.POSITIVE_INFINITY;
const checkpoints = (point: Checkpoint) => {
  if (point !== 'keys.reseal' || crashAfter-- > 0) return Promise.resolve();
  return Promise.reject(new Error('crashed'));
};
const first = randomBytes(32);
beforeAll(async () => {
  shop = await openShop({ timeScale: 1, masterKey: first });
  owner = new pg.Client({ connectionString: shop.database.url });
  await owner.connect();
});
afterAll(async () => {
  await owner.end();
  await shop.close();
});

const withKeys = (sealing: Sealing) => ({ ...shop.deps, sealing, checkpoints });
const sealedColumns = async () =>
  (
    await owner.query<{ place: string }>(
      `select c.table_name || '.' || c.column_name as place from information_schema.columns c join pg_class k on k.relname = c.table_name
       where c.table_schema = 'public' and not k.relispartition and (c.column_name like 'sealed%' or c.column_name = 'secrets') order by 1`,
    )
  ).rows.map(({ place }) => place);

/** Every sealed text that is stored, wherever. */
async function sealedTexts(): Promise<string[]> {
  const { rows } = await owner.query<{ text: string }>(
    `select jsonb_array_elements_text(secrets) as text from connections union all select sealed_config from connections
     union all select sealed_config from bots union all select sealed_access from connection_tokens union all select sealed_refresh from connection_tokens
     union all select sealed_traces from erasures union all select sealed_document from person_exports union all select sealed_body from keyed_requests union all select sealed from installation_keys
     union all select jsonb_array_elements_text(secrets) from webhook_endpoints union all select sealed_config from notification_targets`,
  );
  return rows.map(({ text }) => text).filter((text) => text !== null);
}

/** One of each kind of sealed text, sealed with a key. @returns what they say */
async function fill(sealing: Sealing): Promise<string[]> {
  const said = Array.from({ length: 9 }, () => randomUUID());
  const [one, two, config, access, refresh, traces, document, hook, target] = said.map((text) => sealing.seal(text));
  const id = randomUUID();
  const tenant = shop.tenant.tenantId;
  await owner.query(`insert into connections (tenant_id, id, integration, name, secrets, sealed_config) values ($1, $2, 'telegram', 'x', $3, $4)`, [
    tenant,
    id,
    JSON.stringify([one, two]),
    config,
  ]);
  await owner.query(`insert into bots (tenant_id, connection_id, sealed_config) values ($1, $2, $3)`, [tenant, id, config]);
  await owner.query(
    `insert into connection_tokens (tenant_id, connection_id, granted_for, sealed_access, sealed_refresh, expires_at) values ($1, $2, 'x', $3, $4, now())`,
    [tenant, id, access, refresh],
  );
  const contact = randomUUID();
  await owner.query('insert into contacts (tenant_id, id, person_id) values ($1, $2, $2)', [tenant, contact]);
  await owner.query(
    `insert into erasures (tenant_id, id, contact_id, origin, requested_by, sealed_traces) values ($1, gen_random_uuid(), $2, 'request', 'test', $3)`,
    [tenant, contact, traces],
  );
  await owner.query(
    `insert into person_exports (tenant_id, id, contact_id, origin, requested_by, sealed_document) values ($1, gen_random_uuid(), $2, 'request', 'test', $3)`,
    [tenant, contact, document],
  );
  await owner.query(`insert into webhook_endpoints (tenant_id, id, url, secrets) values ($1, gen_random_uuid(), 'https://hooks.example.com', $2)`, [
    tenant,
    JSON.stringify([hook]),
  ]);
  await owner.query(`insert into notification_targets (tenant_id, id, channel, sealed_config) values ($1, gen_random_uuid(), 'webhook', $2)`, [
    tenant,
    target,
  ]);
  return said;
}

test('no column holds sealed texts that the change of keys does not know', async () => {
  expect(await sealedColumns()).toEqual([
    'bots.sealed_config',
    'connection_tokens.sealed_access',
    'connection_tokens.sealed_refresh',
    'connections.sealed_config',
    'connections.secrets',
    'erasures.sealed_traces',
    'installation_keys.sealed',
    'keyed_requests.sealed_body',
    'notification_targets.sealed_config',
    'person_exports.sealed_document',
    'webhook_endpoints.secrets',
  ]);
});

test('the keys that are stored are those that the master key gave before: every suppression and every link goes on being valid', async () => {
  const before = createSealing(first);
  const hash = before.addressHash(shop.tenant.tenantId, 'email', 'ada@example.com');
  const after = createSealing(first);
  await useOwnKeys(withKeys(after));
  expect(after.addressHash(shop.tenant.tenantId, 'email', 'ada@example.com')).toBe(hash);
  for (const purpose of ['links', 'chat-links'] as const) expect(after.deriveKey(purpose)).toEqual(before.deriveKey(purpose));
  // Whoever starts with keys in the other order before any was stored finds out which one was in use.
  await owner.query('delete from installation_keys');
  const swapped = createSealing(randomBytes(32), [first]);
  await useOwnKeys(withKeys(swapped));
  expect(swapped.addressHash(shop.tenant.tenantId, 'email', 'ada@example.com')).toBe(hash);
});

test('a text of a build before, which names no key, is opened; one of a key that is not given says so', () => {
  const sealing = createSealing(first);
  const [version, nonce, tag, text] = sealing.seal('a secret').split('.');
  const old = [version, nonce, tag, text].join('.');
  expect(createSealing(randomBytes(32), [first]).open(old)).toBe('a secret');
  expect(() => createSealing(randomBytes(32)).open(old)).toThrow('REKINDLE_MASTER_KEY');
  expect(() => createSealing(randomBytes(32)).open(sealing.seal('a secret'))).toThrow('REKINDLE_MASTER_KEY');
});

test('wherever a change of keys crashes, everything is readable by whoever has both keys; begun again it ends, and then the old key may go', async () => {
  // Those of the test before are sealed under a key that is lost.
  await owner.query('delete from installation_keys');
  let current = first;
  const hashOf = (sealing: Sealing) => sealing.addressHash(shop.tenant.tenantId, 'email', 'ada@example.com');
  const hash = hashOf(createSealing(first));
  const said: string[] = [];
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: 12 }), { maxLength: 3 }), fc.nat({ max: 2 }), async (crashes, more) => {
      const old = current;
      for (let n = 0; n <= more; n++) said.push(...(await fill(createSealing(old))));
      const next = randomBytes(32);
      const [before, after] = [createSealing(old, [next]), createSealing(next, [old])];
      await useOwnKeys(withKeys(before));
      await useOwnKeys(withKeys(after));
      const texts = await sealedTexts();
      for (const crash of crashes) {
        crashAfter = crash;
        await resealAll(withKeys(after), { actor: 'test', withinMs: 60_000 }).catch(() => undefined);
        // A process of the old order still writes under the old key.
        said.push(...(await fill(before)));
        const now = await sealedTexts();
        expect(now.length).toBeGreaterThan(texts.length);
        for (const sealing of [before, after]) for (const text of now) expect(sealing.open(text)).not.toBe('');
        await useOwnKeys(withKeys(after));
        expect(hashOf(after)).toBe(hash);
      }
      crashAfter = Number.POSITIVE_INFINITY;
      expect((await countSealed(withKeys(after))).mayGo).toEqual([]);
      expect(await resealAll(withKeys(after), { actor: 'test', withinMs: 60_000 })).toMatchObject({ finished: true });
      const { mayGo, byKey } = await countSealed(withKeys(after));
      expect(mayGo).toEqual([before.keyId]);
      expect(Object.keys(byKey)).toEqual([after.keyId]);
      // The old key is gone.
      const alone = createSealing(next);
      await useOwnKeys(withKeys(alone));
      expect(hashOf(alone)).toBe(hash);
      const opened = (await sealedTexts()).map((text) => alone.open(text));
      for (const text of said) expect(opened).toContain(text);
      const { rows } = await owner.query(
        'select from connections c join bots b on b.connection_id = c.id where b.sealed_config is distinct from c.sealed_config',
      );
      expect(rows, 'bots that would be started anew').toEqual([]);
      expect(await resealAll(withKeys(alone), { actor: 'test', withinMs: 60_000 })).toEqual({ resealed: 0, finished: true });
      current = next;
    }),
    { numRuns: 6 },
  );
});

test('what was sealed under a key that nobody gave is counted as such, and the change of keys says so instead of losing it', async () => {
  const id = randomUUID();
  await owner.query(`insert into connections (tenant_id, id, integration, name, secrets) values ($1, $2, 'generic', 'x', $3)`, [
    shop.tenant.tenantId,
    id,
    JSON.stringify([createSealing(randomBytes(32)).seal('lost')]),
  ]);
  const next = createSealing(randomBytes(32));
  expect((await countSealed(withKeys(next))).byKey['unknown']).toBeGreaterThan(0);
  await expect(resealAll(withKeys(next), { actor: 'test', withinMs: 60_000 })).rejects.toThrow('REKINDLE_MASTER_KEY');
});
