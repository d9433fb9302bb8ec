import { readFileSync } from 'node:fs';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { buildApp } from '../../api/app.ts';
import { createPrometheus } from '../../config/telemetry.ts';
import { genericEvent } from '../../api/routes/webhooks/generic-events.ts';
import { genericReceiver } from '../../integrations/generic/receive.ts';
import { openShop, type Shop, temporalClientOf } from '../helpers/shop.ts';

interface Operation {
  operationId?: string;
  requestBody?: { content: Record<string, { schema: unknown }> };
  summary?: string;
  tags?: string[];
  security?: Record<string, unknown>[];
  parameters?: { name: string; in: string; required?: boolean; schema: object }[];
  responses: Record<string, { description: string; content?: Record<string, { schema: unknown }> }>;
}
interface Document {
  openapi: string;
  servers: { url: string }[];
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

test('what a request may name as a number fits the column that it is compared with', () => {
  const tooLarge: string[] = [];
  interface Shape {
    type?: string | string[];
    maximum?: number;
    $ref?: string;
    properties?: Record<string, unknown>;
    items?: unknown;
    anyOf?: unknown[];
    oneOf?: unknown[];
    additionalProperties?: unknown;
  }
  const look = (schema: unknown, at: string): void => {
    if (typeof schema !== 'object' || schema === null) return;
    const { type = [], maximum = Infinity, $ref, properties = {}, items, anyOf = [], oneOf = [], additionalProperties }: Shape = schema;
    if ($ref !== undefined) look(document.components.schemas[$ref.split('/').at(-1) ?? ''], at);
    if ([type].flat().includes('integer') && maximum > 2_147_483_647) tooLarge.push(at);
    for (const [name, one] of Object.entries(properties)) look(one, `${at}.${name}`);
    for (const one of [items, additionalProperties, ...anyOf, ...oneOf]) look(one, at);
  };
  for (const { name, operation } of operations()) {
    // A webhook's numbers are read one by one (integrations/read/text.ts).
    if (name.startsWith('POST /api/webhooks/')) continue;
    for (const parameter of operation.parameters ?? []) look(parameter.schema, `${name} ?${parameter.name}`);
    for (const { schema } of Object.values(operation.requestBody?.content ?? {})) look(schema, name);
  }
  // Settings are stored as JSON.
  expect(tooLarge.filter((at) => !/(settings|config)\.(settings\.|thresholds\.|offers\.)|POST \/api\/tenants\.settings\./.test(at))).toEqual([]);
});

test('every address says that it refuses a head that is too large, and a value of its path that it does not take', () => {
  for (const { name, operation } of operations()) {
    expect(operation.responses, name).toHaveProperty('431');
    if ((operation.parameters ?? []).some(({ schema }) => 'maxLength' in schema)) expect(operation.responses, name).toHaveProperty('400');
  }
});

test('every route is described, and nothing that does not exist', () => {
  const served = shop.app.printRoutes({ commonPrefix: false });
  expect(
    operations()
      .map((o) => o.name)
      .toSorted(),
  ).toEqual([
    'DELETE /api/connections/{id}',
    'DELETE /api/contacts/{id}',
    'DELETE /api/invitations/{id}',
    'DELETE /api/keys/{id}',
    'DELETE /api/members/{id}',
    'DELETE /api/notification-targets/{id}',
    'DELETE /api/notification-templates/{kind}/{channel}',
    'DELETE /api/scripts/{id}',
    'DELETE /api/sequences/{slug}',
    'DELETE /api/sequences/{slug}/draft',
    'DELETE /api/sequences/{slug}/shadow',
    'DELETE /api/sequences/{slug}/steps/{stepId}',
    'DELETE /api/session',
    'DELETE /api/session/open/{id}',
    'DELETE /api/tenants/{tenant}/keys/{key}',
    'DELETE /api/webhook-endpoints/{id}',
    'GET /',
    'GET /api/accounts/{id}',
    'GET /api/alarms',
    'GET /api/alarms/history',
    'GET /api/attempts',
    'GET /api/attempts/{id}',
    'GET /api/attribution',
    'GET /api/audit',
    'GET /api/backtests',
    'GET /api/backtests/{id}',
    'GET /api/bulk-actions',
    'GET /api/bulk-actions/{id}',
    'GET /api/bulk-enrollments',
    'GET /api/bulk-enrollments/{id}',
    'GET /api/campaigns',
    'GET /api/campaigns/{id}',
    'GET /api/campaigns/{id}/leads',
    'GET /api/caps/figures',
    'GET /api/compositions',
    'GET /api/connections',
    'GET /api/connections/{id}',
    'GET /api/consents',
    'GET /api/contacts',
    'GET /api/contacts/merges',
    'GET /api/contacts/{id}',
    'GET /api/contacts/{id}/timeline',
    'GET /api/conversions',
    'GET /api/conversions/{id}',
    'GET /api/decisions',
    'GET /api/deliveries',
    'GET /api/enrollments',
    'GET /api/enrollments/{id}',
    'GET /api/enrollments/{id}/explain',
    'GET /api/erasures',
    'GET /api/erasures/{id}',
    'GET /api/escalations/share',
    'GET /api/events',
    'GET /api/experiments',
    'GET /api/experiments/{id}',
    'GET /api/experiments/{id}/history',
    'GET /api/explain',
    'GET /api/explain/summary',
    'GET /api/exports',
    'GET /api/exports/{id}',
    'GET /api/exports/{id}/document',
    'GET /api/facts',
    'GET /api/holdouts',
    'GET /api/imports',
    'GET /api/imports/{id}',
    'GET /api/imports/{id}/errors',
    'GET /api/integrations',
    'GET /api/interventions',
    'GET /api/interventions/figures',
    'GET /api/interventions/{id}',
    'GET /api/invitations',
    'GET /api/keys',
    'GET /api/leads',
    'GET /api/leads/{id}',
    'GET /api/leads/{id}/abandonment',
    'GET /api/leads/{id}/contactability',
    'GET /api/learning',
    'GET /api/learning/delays',
    'GET /api/learning/drop-offs',
    'GET /api/learning/hours',
    'GET /api/learning/leaderboards',
    'GET /api/learning/phrases',
    'GET /api/live',
    'GET /api/master-key',
    'GET /api/members',
    'GET /api/messages',
    'GET /api/notification-targets',
    'GET /api/notification-targets/{id}',
    'GET /api/notification-templates',
    'GET /api/notifications',
    'GET /api/offers',
    'GET /api/offers/codes',
    'GET /api/outage-drills',
    'GET /api/outage-drills/{id}',
    'GET /api/parked',
    'GET /api/quarantine',
    'GET /api/quarantine/{id}',
    'GET /api/risk',
    'GET /api/risk/assessments',
    'GET /api/risk/models',
    'GET /api/risk/runs',
    'GET /api/risk/runs/{id}',
    'GET /api/scripts',
    'GET /api/scripts/{id}',
    'GET /api/sequences',
    'GET /api/sequences/{slug}',
    'GET /api/sequences/{slug}/draft',
    'GET /api/sequences/{slug}/enrollments',
    'GET /api/sequences/{slug}/form',
    'GET /api/sequences/{slug}/outcomes',
    'GET /api/sequences/{slug}/preview',
    'GET /api/sequences/{slug}/shadow',
    'GET /api/sequences/{slug}/stats',
    'GET /api/sequences/{slug}/steps/{step}/preview',
    'GET /api/sequences/{slug}/versions',
    'GET /api/sequences/{slug}/versions/{version}',
    'GET /api/session',
    'GET /api/session/open',
    'GET /api/settings',
    'GET /api/settings/history',
    'GET /api/silent-leads/figures',
    'GET /api/subjects',
    'GET /api/subjects/{id}',
    'GET /api/suggestions',
    'GET /api/suggestions/dismissed',
    'GET /api/suppressions',
    'GET /api/tasks',
    'GET /api/tenants',
    'GET /api/tenants/{tenant}',
    'GET /api/tenants/{tenant}/keys',
    'GET /api/variants',
    'GET /api/waves',
    'GET /api/waves/last-day',
    'GET /api/webhook-endpoints',
    'GET /api/webhook-endpoints/{id}',
    'GET /api/webhook-endpoints/{id}/deliveries',
    'GET /api/webhook-endpoints/{id}/deliveries/{delivery}',
    'GET /api/webhooks/{integration}',
    'GET /api/webhooks/{integration}/{connection}',
    'GET /auth/callback/oidc',
    'GET /c/{token}',
    'GET /docs',
    'GET /docs/{file}',
    'GET /forgotten-password',
    'GET /healthz',
    'GET /invitation',
    'GET /metrics',
    'GET /new-password',
    'GET /o/{token}',
    'GET /onsite/push-worker.js',
    'GET /onsite/rekindle.js',
    'GET /openapi.json',
    'GET /readyz',
    'GET /recovery/analytics',
    'GET /recovery/config',
    'GET /recovery/events',
    'GET /recovery/sequences',
    'GET /s/{token}',
    'GET /sign-in',
    'GET /t/{action}/{token}',
    'GET /t/{token}',
    'GET /u/{token}',
    'PATCH /api/campaigns/{id}',
    'PATCH /api/connections/{id}',
    'PATCH /api/members/{id}',
    'PATCH /api/notification-targets/{id}',
    'PATCH /api/scripts/{id}',
    'PATCH /api/settings',
    'PATCH /api/tenants/{tenant}',
    'PATCH /api/webhook-endpoints/{id}',
    'POST /api/backtests',
    'POST /api/behaviour',
    'POST /api/bulk-actions',
    'POST /api/bulk-actions/{id}/cancel',
    'POST /api/bulk-enrollments',
    'POST /api/bulk-enrollments/{id}/cancel',
    'POST /api/bulk-enrollments/{id}/pause',
    'POST /api/bulk-enrollments/{id}/resume',
    'POST /api/campaigns',
    'POST /api/campaigns/{id}/enroll',
    'POST /api/campaigns/{id}/leads',
    'POST /api/compositions/{id}/approve',
    'POST /api/compositions/{id}/reject',
    'POST /api/connections',
    'POST /api/connections/{id}/authorise',
    'POST /api/connections/{id}/check',
    'POST /api/connections/{id}/rotate',
    'POST /api/connections/{id}/send',
    'POST /api/contacts/{id}/consents',
    'POST /api/contacts/{id}/erase',
    'POST /api/contacts/{id}/export',
    'POST /api/contacts/{id}/merge',
    'POST /api/contacts/{id}/unmerge',
    'POST /api/conversions',
    'POST /api/conversions/{id}/match',
    'POST /api/enrollments',
    'POST /api/enrollments/{id}/move',
    'POST /api/enrollments/{id}/pause',
    'POST /api/enrollments/{id}/re-enroll',
    'POST /api/enrollments/{id}/release',
    'POST /api/enrollments/{id}/resume',
    'POST /api/enrollments/{id}/send-now',
    'POST /api/enrollments/{id}/skip',
    'POST /api/enrollments/{id}/snooze',
    'POST /api/enrollments/{id}/stop',
    'POST /api/enrollments/{id}/takeover',
    'POST /api/escalations',
    'POST /api/events',
    'POST /api/experiments',
    'POST /api/experiments/{id}/approve',
    'POST /api/experiments/{id}/dismiss',
    'POST /api/experiments/{id}/stop',
    'POST /api/facts',
    'POST /api/imports',
    'POST /api/imports/{id}/cancel',
    'POST /api/interventions/rollout',
    'POST /api/invitations',
    'POST /api/keys',
    'POST /api/keys/{id}/rotate',
    'POST /api/leads',
    'POST /api/leads/{id}/telegram-link',
    'POST /api/market-triggers',
    'POST /api/master-key/reseal',
    'POST /api/notification-targets',
    'POST /api/notification-targets/{id}/check',
    'POST /api/notification-templates/preview',
    'POST /api/notifications/{id}/drop',
    'POST /api/notifications/{id}/resume',
    'POST /api/offers/codes',
    'POST /api/offers/{id}/revoke',
    'POST /api/outage-drills',
    'POST /api/outage-drills/{id}/end',
    'POST /api/parked/cancel',
    'POST /api/parked/resume',
    'POST /api/parked/skip',
    'POST /api/parked/{id}/cancel',
    'POST /api/parked/{id}/resume',
    'POST /api/parked/{id}/skip',
    'POST /api/people/password-link',
    'POST /api/people/remove',
    'POST /api/quarantine/replay',
    'POST /api/quarantine/{id}/dismiss',
    'POST /api/quarantine/{id}/replay',
    'POST /api/rehearsals',
    'POST /api/retention/run',
    'POST /api/risk/assessments',
    'POST /api/risk/interventions',
    'POST /api/risk/models/use',
    'POST /api/risk/runs',
    'POST /api/scheduler/process-sequences',
    'POST /api/scripts',
    'POST /api/sequences',
    'POST /api/sequences/{slug}/activate',
    'POST /api/sequences/{slug}/archive',
    'POST /api/sequences/{slug}/end',
    'POST /api/sequences/{slug}/enroll',
    'POST /api/sequences/{slug}/form/check',
    'POST /api/sequences/{slug}/form/preview',
    'POST /api/sequences/{slug}/pause',
    'POST /api/sequences/{slug}/publish',
    'POST /api/sequences/{slug}/resume',
    'POST /api/sequences/{slug}/rollback',
    'POST /api/sequences/{slug}/shadow',
    'POST /api/sequences/{slug}/steps',
    'POST /api/sequences/{slug}/steps/{step}/send-test',
    'POST /api/sequences/{slug}/unarchive',
    'POST /api/session',
    'POST /api/session/forgotten-password',
    'POST /api/session/invitation',
    'POST /api/session/invitation/accept',
    'POST /api/session/oidc',
    'POST /api/session/password-link',
    'POST /api/suggestions/{id}/approve',
    'POST /api/suggestions/{id}/dismiss',
    'POST /api/suggestions/{id}/draft',
    'POST /api/suppressions/{id}/lift',
    'POST /api/tasks/{id}/accept',
    'POST /api/tasks/{id}/close',
    'POST /api/tasks/{id}/reassign',
    'POST /api/tasks/{id}/snooze',
    'POST /api/telegram/admin-codes',
    'POST /api/tenants',
    'POST /api/tenants/{tenant}/keys',
    'POST /api/webhook-endpoints',
    'POST /api/webhook-endpoints/{id}/deliveries/{delivery}/redeliver',
    'POST /api/webhook-endpoints/{id}/redeliver',
    'POST /api/webhook-endpoints/{id}/rotate-secret',
    'POST /api/webhook-endpoints/{id}/test',
    'POST /api/webhooks/{integration}',
    'POST /api/webhooks/{integration}/{connection}',
    'POST /mcp',
    'POST /onsite/reports',
    'POST /onsite/views',
    'POST /recovery/sequences',
    'POST /recovery/sequences/{id}/stop',
    'POST /t/{action}/{token}',
    'POST /u/{token}',
    'PUT /api/notification-templates/{kind}/{channel}',
    'PUT /api/sequences/{slug}',
    'PUT /api/sequences/{slug}/draft',
    'PUT /api/sequences/{slug}/form',
    'PUT /api/sequences/{slug}/steps/{stepId}',
    'PUT /api/session/password',
    'PUT /recovery/config',
  ]);
  const count = [...served.matchAll(/\((?:[A-Z]+, ?)*[A-Z]+\)/g)]
    .flatMap(([methods]) => methods.slice(1, -1).split(', '))
    .filter((m) => m !== 'HEAD').length;
  // The dashboard’s page, its files, and the frame in which it shows emails: no operations, and what they can do is described.
  expect(count - 3).toBe(operations().length);
});

test('every operation says what it is for and what it answers when it fails', () => {
  for (const { name, operation } of operations()) {
    expect(operation.summary, name).toBeTruthy();
    expect(operation.tags, name).toHaveLength(1);
    for (const [status, response] of Object.entries(operation.responses)) {
      expect(response.description, `${name} ${status}`).toBeTruthy();
      if (Number(status) < 400 || (name === 'GET /healthz' && status !== '431')) continue;
      // A shopper's browser gets a page, a program gets problem details. A head that is too large is refused before there is a route.
      const type = name.includes('{token}') && status !== '431' ? 'text/html' : 'application/problem+json';
      expect(Object.keys(response.content ?? {}), `${name} ${status}`).toEqual([type]);
    }
  }
});

test('guarded routes name the credential, the others do not', () => {
  for (const { name, operation } of operations()) expect(operation.security, `${name} says whether it needs a key`).toBeDefined();
  const guarded = operations().filter((o) => (o.operation.security ?? []).length > 0);
  expect(guarded.map((o) => o.name).toSorted()).toEqual([
    'DELETE /api/connections/{id}',
    'DELETE /api/contacts/{id}',
    'DELETE /api/invitations/{id}',
    'DELETE /api/keys/{id}',
    'DELETE /api/members/{id}',
    'DELETE /api/notification-targets/{id}',
    'DELETE /api/notification-templates/{kind}/{channel}',
    'DELETE /api/scripts/{id}',
    'DELETE /api/sequences/{slug}',
    'DELETE /api/sequences/{slug}/draft',
    'DELETE /api/sequences/{slug}/shadow',
    'DELETE /api/sequences/{slug}/steps/{stepId}',
    'DELETE /api/tenants/{tenant}/keys/{key}',
    'DELETE /api/webhook-endpoints/{id}',
    'GET /api/accounts/{id}',
    'GET /api/alarms',
    'GET /api/alarms/history',
    'GET /api/attempts',
    'GET /api/attempts/{id}',
    'GET /api/attribution',
    'GET /api/audit',
    'GET /api/backtests',
    'GET /api/backtests/{id}',
    'GET /api/bulk-actions',
    'GET /api/bulk-actions/{id}',
    'GET /api/bulk-enrollments',
    'GET /api/bulk-enrollments/{id}',
    'GET /api/campaigns',
    'GET /api/campaigns/{id}',
    'GET /api/campaigns/{id}/leads',
    'GET /api/caps/figures',
    'GET /api/compositions',
    'GET /api/connections',
    'GET /api/connections/{id}',
    'GET /api/consents',
    'GET /api/contacts',
    'GET /api/contacts/merges',
    'GET /api/contacts/{id}',
    'GET /api/contacts/{id}/timeline',
    'GET /api/conversions',
    'GET /api/conversions/{id}',
    'GET /api/decisions',
    'GET /api/deliveries',
    'GET /api/enrollments',
    'GET /api/enrollments/{id}',
    'GET /api/enrollments/{id}/explain',
    'GET /api/erasures',
    'GET /api/erasures/{id}',
    'GET /api/escalations/share',
    'GET /api/events',
    'GET /api/experiments',
    'GET /api/experiments/{id}',
    'GET /api/experiments/{id}/history',
    'GET /api/explain',
    'GET /api/explain/summary',
    'GET /api/exports',
    'GET /api/exports/{id}',
    'GET /api/exports/{id}/document',
    'GET /api/facts',
    'GET /api/holdouts',
    'GET /api/imports',
    'GET /api/imports/{id}',
    'GET /api/imports/{id}/errors',
    'GET /api/integrations',
    'GET /api/interventions',
    'GET /api/interventions/figures',
    'GET /api/interventions/{id}',
    'GET /api/invitations',
    'GET /api/keys',
    'GET /api/leads',
    'GET /api/leads/{id}',
    'GET /api/leads/{id}/abandonment',
    'GET /api/leads/{id}/contactability',
    'GET /api/learning',
    'GET /api/learning/delays',
    'GET /api/learning/drop-offs',
    'GET /api/learning/hours',
    'GET /api/learning/leaderboards',
    'GET /api/learning/phrases',
    'GET /api/live',
    'GET /api/master-key',
    'GET /api/members',
    'GET /api/messages',
    'GET /api/notification-targets',
    'GET /api/notification-targets/{id}',
    'GET /api/notification-templates',
    'GET /api/notifications',
    'GET /api/offers',
    'GET /api/offers/codes',
    'GET /api/outage-drills',
    'GET /api/outage-drills/{id}',
    'GET /api/parked',
    'GET /api/quarantine',
    'GET /api/quarantine/{id}',
    'GET /api/risk',
    'GET /api/risk/assessments',
    'GET /api/risk/models',
    'GET /api/risk/runs',
    'GET /api/risk/runs/{id}',
    'GET /api/scripts',
    'GET /api/scripts/{id}',
    'GET /api/sequences',
    'GET /api/sequences/{slug}',
    'GET /api/sequences/{slug}/draft',
    'GET /api/sequences/{slug}/enrollments',
    'GET /api/sequences/{slug}/form',
    'GET /api/sequences/{slug}/outcomes',
    'GET /api/sequences/{slug}/preview',
    'GET /api/sequences/{slug}/shadow',
    'GET /api/sequences/{slug}/stats',
    'GET /api/sequences/{slug}/steps/{step}/preview',
    'GET /api/sequences/{slug}/versions',
    'GET /api/sequences/{slug}/versions/{version}',
    'GET /api/settings',
    'GET /api/settings/history',
    'GET /api/silent-leads/figures',
    'GET /api/subjects',
    'GET /api/subjects/{id}',
    'GET /api/suggestions',
    'GET /api/suggestions/dismissed',
    'GET /api/suppressions',
    'GET /api/tasks',
    'GET /api/tenants',
    'GET /api/tenants/{tenant}',
    'GET /api/tenants/{tenant}/keys',
    'GET /api/variants',
    'GET /api/waves',
    'GET /api/waves/last-day',
    'GET /api/webhook-endpoints',
    'GET /api/webhook-endpoints/{id}',
    'GET /api/webhook-endpoints/{id}/deliveries',
    'GET /api/webhook-endpoints/{id}/deliveries/{delivery}',
    'GET /recovery/analytics',
    'GET /recovery/config',
    'GET /recovery/events',
    'GET /recovery/sequences',
    'PATCH /api/campaigns/{id}',
    'PATCH /api/connections/{id}',
    'PATCH /api/members/{id}',
    'PATCH /api/notification-targets/{id}',
    'PATCH /api/scripts/{id}',
    'PATCH /api/settings',
    'PATCH /api/tenants/{tenant}',
    'PATCH /api/webhook-endpoints/{id}',
    'POST /api/backtests',
    'POST /api/behaviour',
    'POST /api/bulk-actions',
    'POST /api/bulk-actions/{id}/cancel',
    'POST /api/bulk-enrollments',
    'POST /api/bulk-enrollments/{id}/cancel',
    'POST /api/bulk-enrollments/{id}/pause',
    'POST /api/bulk-enrollments/{id}/resume',
    'POST /api/campaigns',
    'POST /api/campaigns/{id}/enroll',
    'POST /api/campaigns/{id}/leads',
    'POST /api/compositions/{id}/approve',
    'POST /api/compositions/{id}/reject',
    'POST /api/connections',
    'POST /api/connections/{id}/authorise',
    'POST /api/connections/{id}/check',
    'POST /api/connections/{id}/rotate',
    'POST /api/connections/{id}/send',
    'POST /api/contacts/{id}/consents',
    'POST /api/contacts/{id}/erase',
    'POST /api/contacts/{id}/export',
    'POST /api/contacts/{id}/merge',
    'POST /api/contacts/{id}/unmerge',
    'POST /api/conversions',
    'POST /api/conversions/{id}/match',
    'POST /api/enrollments',
    'POST /api/enrollments/{id}/move',
    'POST /api/enrollments/{id}/pause',
    'POST /api/enrollments/{id}/re-enroll',
    'POST /api/enrollments/{id}/release',
    'POST /api/enrollments/{id}/resume',
    'POST /api/enrollments/{id}/send-now',
    'POST /api/enrollments/{id}/skip',
    'POST /api/enrollments/{id}/snooze',
    'POST /api/enrollments/{id}/stop',
    'POST /api/enrollments/{id}/takeover',
    'POST /api/escalations',
    'POST /api/events',
    'POST /api/experiments',
    'POST /api/experiments/{id}/approve',
    'POST /api/experiments/{id}/dismiss',
    'POST /api/experiments/{id}/stop',
    'POST /api/facts',
    'POST /api/imports',
    'POST /api/imports/{id}/cancel',
    'POST /api/interventions/rollout',
    'POST /api/invitations',
    'POST /api/keys',
    'POST /api/keys/{id}/rotate',
    'POST /api/leads',
    'POST /api/leads/{id}/telegram-link',
    'POST /api/market-triggers',
    'POST /api/master-key/reseal',
    'POST /api/notification-targets',
    'POST /api/notification-targets/{id}/check',
    'POST /api/notification-templates/preview',
    'POST /api/notifications/{id}/drop',
    'POST /api/notifications/{id}/resume',
    'POST /api/offers/codes',
    'POST /api/offers/{id}/revoke',
    'POST /api/outage-drills',
    'POST /api/outage-drills/{id}/end',
    'POST /api/parked/cancel',
    'POST /api/parked/resume',
    'POST /api/parked/skip',
    'POST /api/parked/{id}/cancel',
    'POST /api/parked/{id}/resume',
    'POST /api/parked/{id}/skip',
    'POST /api/people/password-link',
    'POST /api/people/remove',
    'POST /api/quarantine/replay',
    'POST /api/quarantine/{id}/dismiss',
    'POST /api/quarantine/{id}/replay',
    'POST /api/rehearsals',
    'POST /api/retention/run',
    'POST /api/risk/assessments',
    'POST /api/risk/interventions',
    'POST /api/risk/models/use',
    'POST /api/risk/runs',
    'POST /api/scheduler/process-sequences',
    'POST /api/scripts',
    'POST /api/sequences',
    'POST /api/sequences/{slug}/activate',
    'POST /api/sequences/{slug}/archive',
    'POST /api/sequences/{slug}/end',
    'POST /api/sequences/{slug}/enroll',
    'POST /api/sequences/{slug}/form/check',
    'POST /api/sequences/{slug}/form/preview',
    'POST /api/sequences/{slug}/pause',
    'POST /api/sequences/{slug}/publish',
    'POST /api/sequences/{slug}/resume',
    'POST /api/sequences/{slug}/rollback',
    'POST /api/sequences/{slug}/shadow',
    'POST /api/sequences/{slug}/steps',
    'POST /api/sequences/{slug}/steps/{step}/send-test',
    'POST /api/sequences/{slug}/unarchive',
    'POST /api/suggestions/{id}/approve',
    'POST /api/suggestions/{id}/dismiss',
    'POST /api/suggestions/{id}/draft',
    'POST /api/suppressions/{id}/lift',
    'POST /api/tasks/{id}/accept',
    'POST /api/tasks/{id}/close',
    'POST /api/tasks/{id}/reassign',
    'POST /api/tasks/{id}/snooze',
    'POST /api/telegram/admin-codes',
    'POST /api/tenants',
    'POST /api/tenants/{tenant}/keys',
    'POST /api/webhook-endpoints',
    'POST /api/webhook-endpoints/{id}/deliveries/{delivery}/redeliver',
    'POST /api/webhook-endpoints/{id}/redeliver',
    'POST /api/webhook-endpoints/{id}/rotate-secret',
    'POST /api/webhook-endpoints/{id}/test',
    'POST /mcp',
    'POST /recovery/sequences',
    'POST /recovery/sequences/{id}/stop',
    'PUT /api/notification-templates/{kind}/{channel}',
    'PUT /api/sequences/{slug}',
    'PUT /api/sequences/{slug}/draft',
    'PUT /api/sequences/{slug}/form',
    'PUT /api/sequences/{slug}/steps/{stepId}',
    'PUT /recovery/config',
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
    expect.arrayContaining(['Problem', 'RecoverySequence', 'Cart', 'RecoveryAnalytics', 'Enrollment', 'Explanation', 'Health']),
  );
});

test('every component is used, under one name', () => {
  const text = JSON.stringify(document);
  for (const name of Object.keys(document.components.schemas)) {
    expect(text, `${name} is referred to`).toContain(`"#/components/schemas/${name}"`);
    expect(name).not.toMatch(/Input$/);
  }
});

test('every operation has an id of its own, and the document says where it is served', () => {
  const ids = operations().map(({ operation }) => operation.operationId ?? '');
  expect(ids.filter((id) => !/^[a-z][A-Za-z0-9]+$/.test(id))).toEqual([]);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toEqual(expect.arrayContaining(['getRecoverySequences', 'postApiWebhooksIntegrationConnection', 'getStart']));
  expect(document.servers.map(({ url }) => url)).toEqual(['http://rekindle.example.com']);
});

describe('the bodies of the generic integration', () => {
  const examples = [...readFileSync(new URL('../../docs/webhooks.md', import.meta.url), 'utf8').matchAll(/```json\n(.*?)```/gs)].map(
    ([, code = '']): Record<string, unknown> & { type: string } => JSON.parse(code),
  );

  test('are described where webhooks are received', () => {
    const body = document.paths['/api/webhooks/{integration}/{connection}']?.['post']?.requestBody;
    expect(JSON.stringify(body)).toContain('"#/components/schemas/GenericEvent"');
    expect(document.components.schemas['GenericCartUpdated']).toMatchObject({
      properties: { data: { properties: { cart: { $ref: '#/components/schemas/GenericCart' } } } },
    });
  });

  test('have a schema for every event that the receiver reads and the documentation shows', () => {
    const described = genericEvent.options.map(({ shape }) => shape.type.value);
    expect(described.toSorted()).toEqual([...genericReceiver.topics].toSorted());
    expect(described.toSorted()).toEqual(examples.map(({ type }) => type).toSorted());
  });

  test.each(examples.map((example) => [example.type, example] as const))(
    '%s: the documented example fits, and each of its fields is described',
    (_type, example) => {
      expect(genericEvent.safeParse(example).error).toBeUndefined();
      expect(
        fieldsNotIn(
          genericEvent.options.find(({ shape }) => shape.type.value === example.type),
          example,
        ),
      ).toEqual([]);
    },
  );

  /** Paths of a value's fields that a schema has no name for. */
  function fieldsNotIn(schema: unknown, value: unknown, path = ''): string[] {
    const inner = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
    if (Array.isArray(value)) return value.flatMap((one) => fieldsNotIn(inner instanceof z.ZodArray ? inner.element : undefined, one, `${path}[]`));
    if (typeof value !== 'object' || value === null) return [];
    const shape: Record<string, unknown> = inner instanceof z.ZodObject ? inner.shape : {};
    return Object.entries(value).flatMap(([key, field]) =>
      shape[key] === undefined ? [`${path}.${key}`] : fieldsNotIn(shape[key], field, `${path}.${key}`),
    );
  }
});

test('the stream of the live page is described as events', async () => {
  const silent = pino({ level: 'silent' });
  const live = await buildApp({
    deps: shop.deps,
    logger: silent,
    client: temporalClientOf(shop),
    registry: createPrometheus().registry,
    links: { temporalUi: null, mailbox: null },
    livePage: true,
  });
  const described: Document = (await live.inject('/openapi.json')).json();
  expect(described.paths['/live']?.['get']?.responses['200']?.content?.['text/event-stream']?.schema).toMatchObject({
    type: 'string',
    'x-event-data': { oneOf: expect.any(Array) as unknown },
  });
  await live.close();
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
