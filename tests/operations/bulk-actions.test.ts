import { count, eq, inArray } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { main } from '../../cli/main.ts';
import { auditLog, enrollmentActions, enrollments, outbox } from '../../db/schema/index.ts';
import { bulkActionPass } from '../../operations/bulk/act-on-all.ts';
import { ask } from '../api/left-carts.ts';
import { asOwner } from '../helpers/database.ts';
import { publishYaml } from '../helpers/publish-yaml.ts';
import { aCart, openShop, type Shop, until } from '../helpers/shop.ts';

// The same done to every enrollment that a list shows (docs/rules.md#rule-96). No worker runs: what counts is what Postgres knows.

/** The connection breaks when it comes to this checkpoint so many times more; null: never. */
let breaksAt: { name: string; left: number } | null = null;
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({
    timeScale: 1,
    checkpoints: async (name) => {
      if (breaksAt?.name !== name || --breaksAt.left > 0) return;
      breaksAt = null;
      throw Object.assign(new Error('the connection broke'), { code: 'ECONNRESET' });
    },
  });
});
afterAll(() => shop.close());

let nth = 0;
let slug = '';
beforeEach(async () => {
  breaksAt = null;
  slug = `bulk-${++nth}`;
  await asOwner(shop.database.url, `update sequences set status = 'ARCHIVED'`);
  await publishYaml(shop, yaml());
});
const steps = (ids: string[]) => ids.map((id, i) => `  - { id: ${id}, at: ${i + 1}h, channel: email, content: cart/email_2h }\n`).join('');
const yaml = (ids = ['first', 'second', 'third']) => `sequence: ${slug}\nname: Bulk\non: cart.abandoned\nquietFor: 1h\nsteps:\n${steps(ids)}`;

type Row = Record<string, unknown> & { id: string };
const api = async (path: string, method: 'GET' | 'POST' = 'GET', body?: Record<string, unknown>) => {
  const { status, body: answer } = await ask(shop, shop.tenant.apiKey, path, method, body);
  return { status, body: answer as Row & { code: string; errors: unknown[] } };
};
const begin = (action: string, filter: Record<string, unknown>, more: Record<string, unknown> = {}) =>
  api('/api/bulk-actions', 'POST', { action, filter, ...more });
const cart = async (name: string) => {
  await shop.post('cart.updated', aCart(`${slug}-${name}`, `${slug}-${name}@example.com`));
  const enrollment = await shop.enrollmentOf(`${slug}-${name}`);
  if (enrollment === null) throw new Error('nothing began');
  return enrollment.id;
};
const carts = async (n: number) => {
  const ids: string[] = [];
  for (let i = 0; i < n; i++) ids.push(await cart(String(i)));
  return ids;
};
const inStore = <T>(work: Parameters<typeof shop.deps.db.withTenant<T>>[1]) => shop.deps.db.withTenant(shop.tenant.tenantId, work);
const rowOf = async (id: string) => {
  const [row] = await inStore((tx) => tx.select().from(enrollments).where(eq(enrollments.id, id)));
  return row;
};
/** As the worker does, to the end, however often the connection breaks. */
const over = (id: string) =>
  until('the end of the action', async () => {
    await bulkActionPass(shop.deps).catch(() => true);
    const { body } = await api(`/api/bulk-actions/${id}`);
    return body['state'] !== 'running' && body;
  });

test('a dry run counts and does nothing; what is done then is what was counted', async () => {
  const ids = await carts(5);
  await api(`/api/enrollments/${ids[0] ?? ''}/stop`, 'POST');
  await api(`/api/enrollments/${ids[1] ?? ''}/pause`, 'POST');
  const counted = await begin('pause', { sequence: slug }, { dry_run: true });
  expect(counted).toMatchObject({ status: 200, body: { action: 'pause', matched: 4, ended: 1 } });
  expect(counted.body['sequences']).toEqual([
    { sequence: slug, status: 'ACTIVE', count: 3 },
    { sequence: slug, status: 'PAUSED', count: 1 },
  ]);
  expect((await api('/api/bulk-actions')).body['data']).toEqual([]);
  await cart('later');
  expect(await begin('pause', { sequence: slug }, { most: 4 })).toMatchObject({ status: 409, body: { code: 'more_than_counted' } });
  const begun = await begin('pause', { sequence: slug }, { most: 5, note: 'stock count' });
  expect(begun).toMatchObject({ status: 201, body: { state: 'running', matched: 5, examined: 0 } });
  // Taken in after it began: not reached.
  const untouched = await cart('after');
  expect(await over(begun.body.id)).toMatchObject({ state: 'done', matched: 5, examined: 5, changed: 4, unchanged: 1, refused: {} });
  expect((await rowOf(untouched))?.held).toBeNull();
  const listed = await api(`/api/enrollments?status=PAUSED&sequence=${slug}`);
  expect(listed.body['data']).toHaveLength(5);
  expect(await over((await begin('resume', { sequence: slug, status: 'PAUSED' })).body.id)).toMatchObject({ changed: 5, unchanged: 0 });
});

test('a stop ends them as a stop by hand does, with its note, and only those that the filter names', async () => {
  const [one = '', other = ''] = await carts(2);
  const { body } = await begin('stop', { email: `${slug}-0@EXAMPLE.com` }, { note: 'a wrong price' });
  expect(await over(body.id)).toMatchObject({ state: 'done', matched: 1, changed: 1 });
  expect(await rowOf(one)).toMatchObject({ status: 'EXITED', stopReason: 'manual', stopNote: 'a wrong price' });
  expect(await rowOf(other)).toMatchObject({ status: 'ACTIVE' });
});

test('a move brings them to the version in use, or to a step of theirs', async () => {
  const ids = await carts(3);
  await publishYaml(shop, yaml(['new', 'second', 'third']));
  expect(await over((await begin('move', { sequence: slug })).body.id)).toMatchObject({ changed: 3 });
  expect((await api(`/api/enrollments/${ids[0] ?? ''}`)).body).toMatchObject({ sequence: { version: 2 }, next_step: { id: 'new' } });
  expect(await over((await begin('move', { sequence: slug }, { step: 'third' })).body.id)).toMatchObject({
    changed: 3,
    version: null,
    step: 'third',
  });
  const { body } = await api(`/api/enrollments/${ids[1] ?? ''}`);
  expect(body).toMatchObject({ next_step: { id: 'third' } });
  expect(body['steps']).toMatchObject([
    { id: 'new', state: 'skipped', skip_reason: 'passed' },
    { id: 'second', state: 'skipped', skip_reason: 'passed' },
    { id: 'third', state: 'waiting' },
  ]);
  expect(await over((await begin('move', { sequence: slug }, { step: 'second' })).body.id)).toMatchObject({ refused: { already_skipped: 3 } });
  expect(await over((await begin('move', { sequence: slug }, { version: 9 })).body.id)).toMatchObject({ refused: { unknown_version: 3 } });
});

test('one enrollment is moved with the same refusals, and a repeated request moves it once', async () => {
  const [id = ''] = await carts(1);
  const move = (body?: Record<string, unknown>) => api(`/api/enrollments/${id}/move`, 'POST', body);
  expect((await move()).body).toMatchObject({ action: 'move', outcome: 'unchanged', changed: false });
  expect((await move({ step: 'second' })).body).toMatchObject({ outcome: 'moved', step: 'second', sentence: 'It goes on at second.' });
  expect((await move({ step: 'first' })).body.code).toBe('already_skipped');
  expect((await move({ version: 7 })).body.code).toBe('unknown_version');
  const wakes = await inStore((tx) => tx.select({ kind: outbox.kind }).from(outbox).where(eq(outbox.enrollmentId, id)));
  expect(wakes.filter(({ kind }) => kind === 'wake')).toHaveLength(1);
  await api(`/api/enrollments/${id}/stop`, 'POST');
  expect((await move({ step: 'third' })).body.code).toBe('ended');
});

test('by command: counted, refused without a yes, done with one, and shown', async () => {
  const [id = ''] = await carts(2);
  const address = await shop.app.listen({ host: '127.0.0.1', port: 0 });
  vi.stubEnv('REKINDLE_API_URL', address).stubEnv('REKINDLE_API_KEY', shop.tenant.apiKey);
  const run = async (...args: string[]) => {
    const [said, complained]: [string[], string[]] = [[], []];
    const code = await main(
      args,
      (line) => said.push(line),
      (line) => complained.push(line),
      null,
    );
    return { code, said: said.join('\n'), complained: complained.join('\n') };
  };
  const pause = ['enrollments', 'pause', '--sequence', slug];
  expect(await run(...pause, '--dry-run')).toEqual({ code: 0, said: `pause would reach 2 enrollments:\n    2  ${slug}  ACTIVE`, complained: '' });
  expect(await run(...pause)).toMatchObject({ code: 2, said: '' });
  const begun = await run(...pause, '--yes', '--json');
  const { id: action } = JSON.parse(begun.said) as Row;
  await over(action);
  expect((await run('enrollments', 'show', action)).said).toContain('pause  done  2 changed, 2 of 2 looked at');
  expect((await run('enrollments', 'actions')).said).toContain(action);
  expect((await run('enrollments', 'list', '--sequence', slug, '--status', 'PAUSED')).said).toContain(`${id}  ${slug}  PAUSED`);
  expect((await run('move', id, '--step', 'third')).said).toContain('It goes on at third.');
  vi.unstubAllEnvs();
});

test('what cannot be meant is refused, and says so', async () => {
  expect((await begin('stop', {})).body).toMatchObject({ code: 'invalid_request', errors: [{ path: 'body/filter' }] });
  expect((await begin('stop', { sequence: 'nonsense' })).body).toMatchObject({ errors: [{ path: 'body/filter/sequence' }] });
  expect((await begin('stop', { status: 'ACTIVE' }, { step: 'first' })).body).toMatchObject({ errors: [{ path: 'body/step' }] });
  expect((await begin('stop', { email: 'nobody' })).body).toMatchObject({ errors: [{ path: 'body/filter/email' }] });
});

test('a cancelled action reaches nobody else', async () => {
  await carts(2);
  const { body } = await begin('stop', { sequence: slug });
  expect((await api(`/api/bulk-actions/${body.id}/cancel`, 'POST')).body).toMatchObject({ state: 'cancelled', examined: 0 });
  await bulkActionPass(shop.deps);
  expect((await api(`/api/bulk-actions/${body.id}/cancel`, 'POST')).body.code).toBe('wrong_state');
  expect((await api(`/api/enrollments?status=ACTIVE&sequence=${slug}`)).body['data']).toHaveLength(2);
});

test('however often it breaks off in the middle, each is done once and counted once', async () => {
  const ids = await carts(12);
  const points = ['stop.locked', 'stop.before_commit', 'stop.committed'];
  const crash = fc.record({ name: fc.constantFrom(...points), left: fc.integer({ min: 1, max: 12 }) });
  let does = 'resume';
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(crash, { maxLength: 4 }), async (crashes) => {
      does = does === 'pause' ? 'resume' : 'pause';
      runs += 1;
      const { body } = await begin(does, { sequence: slug });
      for (const one of crashes) {
        breaksAt = { ...one };
        await bulkActionPass(shop.deps).catch(() => true);
      }
      breaksAt = null;
      expect(await over(body.id)).toMatchObject({ matched: 12, examined: 12, changed: 12, unchanged: 0, refused: {} });
    }),
    { numRuns: 12 },
  );
  const [done] = await inStore((tx) => tx.select({ n: count() }).from(enrollmentActions).where(inArray(enrollmentActions.enrollmentId, ids)));
  const [audited] = await inStore((tx) => tx.select({ n: count() }).from(auditLog).where(inArray(auditLog.subject, ids)));
  expect([done?.n, audited?.n]).toEqual([runs * 12, runs * 12]);
}, 120_000);
