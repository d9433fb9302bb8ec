import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Fastify, { type FastifyInstance } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dashboardRoutes } from '../../api/routes/dashboard/dashboard.ts';

// How the dashboard is served; web-browser.test.ts looks at it in a browser.

let dir: string;
const apps: FastifyInstance[] = [];

async function serve(): Promise<FastifyInstance> {
  const app = Fastify();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  await app.register(dashboardRoutes, { dir });
  apps.push(app);
  return app;
}
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'dashboard-'));
});
afterAll(async () => {
  for (const app of apps) await app.close();
  rmSync(dir, { recursive: true });
});

test('says how it is built where it is not', async () => {
  const answer = await (await serve()).inject('/app');
  expect(answer.statusCode).toBe(503);
  expect(answer.body).toContain('npm run build:dashboard');
});

test('is one page for all its addresses, which runs nothing inline, and files that stay', async () => {
  const built = join(dir, '0123456789abcdef');
  mkdirSync(join(built, 'assets'), { recursive: true });
  writeFileSync(join(dir, 'current'), '0123456789abcdef');
  writeFileSync(join(built, 'index.html'), '<!doctype html><title>Rekindle</title>');
  writeFileSync(join(built, 'assets/index-abc.js'), 'plain');
  writeFileSync(join(built, 'assets/index-abc.js.br'), 'as brotli');
  writeFileSync(join(built, 'assets/index-abc.js.gz'), 'as gzip');
  const app = await serve();

  for (const path of ['/app', '/app/', '/app/my-store/people/1?q=2']) {
    const { statusCode, headers, body } = await app.inject(path);
    expect([statusCode, body]).toEqual([200, '<!doctype html><title>Rekindle</title>']);
    expect(headers['cache-control']).toBe('no-cache');
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self';");
    expect(policy).not.toMatch(/unsafe|nonce/);
  }
  const get = (accepted: string) => app.inject({ url: '/app/assets/index-abc.js', headers: { 'accept-encoding': accepted } });
  const seen = [];
  for (const accepted of ['gzip, deflate, br, zstd', 'gzip', 'identity']) {
    const { headers, body } = await get(accepted);
    expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(headers['vary']).toBe('accept-encoding');
    seen.push([headers['content-encoding'], body]);
  }
  expect(seen).toEqual([
    ['br', 'as brotli'],
    ['gzip', 'as gzip'],
    [undefined, 'plain'],
  ]);
});

test('a file of an earlier build is not answered with the page', async () => {
  const { statusCode, headers } = await (await serve()).inject('/app/assets/index-old.js');
  expect(statusCode).toBe(404);
  expect(headers['content-type']).toContain('application/problem+json');
});

test('nothing outside of its folder is served', async () => {
  const app = await serve();
  for (const path of ['/app/../current', '/app/%2e%2e/current', '/app/assets/..%2f..%2fcurrent', '/app/assets/%2e%2e/%2e%2e/current']) {
    const { body } = await app.inject(path);
    expect(body).not.toContain('0123456789abcdef');
  }
});

test('emails are shown in a page of nobody’s origin, which runs its own script alone', async () => {
  const { statusCode, headers, body } = await (await serve()).inject('/app/assets/email-frame.html');
  expect(statusCode).toBe(200);
  const script = /<script>(.*)<\/script>/.exec(body)?.[1] ?? '';
  const hash = createHash('sha256').update(script).digest('base64');
  const policy = String(headers['content-security-policy']);
  expect(policy).toContain(`default-src 'none'; script-src 'sha256-${hash}';`);
  expect(policy).toMatch(/frame-ancestors 'self'; sandbox allow-scripts$/);
  expect(headers['x-frame-options']).toBe('SAMEORIGIN');
});
