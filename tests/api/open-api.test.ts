import { afterAll, beforeAll, expect, test } from 'vitest';
import { openShop, type Shop } from '../helpers/shop.ts';

interface Operation {
  summary?: string;
  tags?: string[];
  security?: Record<string, unknown>[];
  parameters?: { name: string; in: string; required?: boolean }[];
  responses: Record<string, { description: string; content?: Record<string, { schema: unknown }> }>;
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, unknown>; securitySchemes: Record<string, unknown> };
}

let shop: Shop;
let document: Document;
beforeAll(async () => {
  shop = await openShop();
  document = (await shop.app.inject('/openapi.json')).json();
});
afterAll(() => shop.close());

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
  );

test('every route is described, and nothing that does not exist', () => {
  const served = shop.app.printRoutes({ commonPrefix: false });
  expect(
    operations()
      .map((o) => o.name)
      .toSorted(),
  ).toEqual([
    'GET /',
    'GET /api/deliveries',
    'GET /api/enrollments',
    'GET /api/enrollments/{id}',
    'GET /api/enrollments/{id}/explain',
    'GET /api/explain',
    'GET /api/quarantine',
    'GET /api/quarantine/{id}',
    'GET /c/{token}',
    'GET /healthz',
    'GET /metrics',
    'GET /o/{token}',
    'GET /openapi.json',
    'GET /readyz',
    'GET /recovery/analytics',
    'GET /recovery/sequences',
    'GET /u/{token}',
    'POST /api/quarantine/replay',
    'POST /api/quarantine/{id}/replay',
    'POST /api/webhooks/{integration}',
    'POST /api/webhooks/{integration}/{connection}',
    'POST /recovery/sequences/{id}/stop',
    'POST /u/{token}',
  ]);
  const count = [...served.matchAll(/\((?:[A-Z]+, ?)*[A-Z]+\)/g)]
    .flatMap(([methods]) => methods.slice(1, -1).split(', '))
    .filter((m) => m !== 'HEAD').length;
  expect(count).toBe(operations().length);
});

test('every operation says what it is for and what it answers when it fails', () => {
  for (const { name, operation } of operations()) {
    expect(operation.summary, name).toBeTruthy();
    expect(operation.tags, name).toHaveLength(1);
    for (const [status, response] of Object.entries(operation.responses)) {
      expect(response.description, `${name} ${status}`).toBeTruthy();
      if (Number(status) < 400 || name === 'GET /healthz') continue;
      // A shopper's browser gets a page, a program gets problem details.
      const type = name.includes('{token}') ? 'text/html' : 'application/problem+json';
      expect(Object.keys(response.content ?? {}), `${name} ${status}`).toEqual([type]);
    }
  }
});

test('guarded routes name the credential, the others do not', () => {
  const guarded = operations().filter((o) => o.operation.security !== undefined);
  expect(guarded.map((o) => o.name).toSorted()).toEqual([
    'GET /api/deliveries',
    'GET /api/enrollments',
    'GET /api/enrollments/{id}',
    'GET /api/enrollments/{id}/explain',
    'GET /api/explain',
    'GET /api/quarantine',
    'GET /api/quarantine/{id}',
    'GET /recovery/analytics',
    'GET /recovery/sequences',
    'POST /api/quarantine/replay',
    'POST /api/quarantine/{id}/replay',
    'POST /recovery/sequences/{id}/stop',
  ]);
  for (const { operation } of guarded) {
    for (const scheme of operation.security?.flatMap((s) => Object.keys(s)) ?? []) expect(document.components.securitySchemes).toHaveProperty(scheme);
    expect(operation.responses).toHaveProperty('401');
  }
});

test('every reference leads to a component, and shapes have names', () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name ?? '');
  expect(references.length).toBeGreaterThan(5);
  for (const name of references) expect(Object.keys(document.components.schemas), name).toContain(name);
  expect(Object.keys(document.components.schemas)).toEqual(
    expect.arrayContaining(['Problem', 'ActiveSequence', 'Cart', 'RecoveryAnalytics', 'Enrollment', 'Explanation', 'Health']),
  );
});

test('path and query parameters are described', () => {
  const stop = document.paths['/recovery/sequences/{id}/stop']?.['post'];
  expect(stop?.parameters).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ name: 'id', in: 'path', required: true }),
      expect.objectContaining({ name: 'reason', in: 'query', required: true }),
    ]),
  );
  expect(document.openapi).toMatch(/^3\.1/);
});
