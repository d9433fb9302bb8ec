import { resolve } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { issueKey } from '../../operations/api-keys.ts';
import { clientOf } from '../helpers/client-of.ts';
import { openShop, type Shop } from '../helpers/shop.ts';
import { anotherStore, leaveCart, sendFirstMail } from './left-carts.ts';

// The tools for agents, by the protocol's own client: over HTTP at /mcp, and over standard input and output by `rekindle mcp`.

const email = 'ada.lovelace@example.com';
let shop: Shop;
let url: string;
let enrollment: string;
let agent: Client;
const open: Client[] = [];

async function connected(apiKey: string): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' });
  const requestInit = { headers: { authorization: `Bearer ${apiKey}` } };
  // Its types do not know `exactOptionalPropertyTypes`.
  await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', url), { requestInit }) as unknown as Parameters<Client['connect']>[0]);
  open.push(client);
  return client;
}

interface Called {
  failed: boolean;
  text: string;
  data: Record<string, unknown> & { would: Record<string, unknown>; token: string; done: boolean; code: string; detail: string };
}

async function call(client: Client, name: string, given: Record<string, unknown> = {}): Promise<Called> {
  const { content, isError } = (await client.callTool({ name, arguments: given })) as CallToolResult;
  const [first] = content;
  const text = first?.type === 'text' ? first.text : '';
  return { failed: isError === true, text, data: text.startsWith('{') ? (JSON.parse(text) as Called['data']) : ({ detail: text } as Called['data']) };
}

beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  url = await shop.app.listen({ port: 0, host: '127.0.0.1' });
  enrollment = await leaveCart(shop, 'c1', email);
  await sendFirstMail(shop, enrollment);
  agent = await connected(shop.tenant.apiKey);
});
afterAll(async () => {
  for (const client of open) await client.close();
  await shop.close();
});

const yaml = (name: string) => `sequence: thanks\nname: ${name}\non: manual\nabout: cart\nsteps:\n  - { id: mark, at: 1h, channel: none }\n`;

describe('at /mcp', () => {
  test('says which tools change something', async () => {
    const { tools } = await agent.listTools();
    const names = (readOnly: boolean) => tools.filter(({ annotations }) => annotations?.readOnlyHint === readOnly).map(({ name }) => name);
    expect(names(true)).toEqual(
      expect.arrayContaining([
        'explain',
        'why_not_sent',
        'rehearse',
        'backtest',
        'preview',
        'analytics',
        'attribution',
        'learning',
        'contacts',
        'quarantine',
        'parked',
        'monitor_churn_risk',
        'interventions',
      ]),
    );
    expect(names(false)).toEqual([
      'trigger_intervention',
      'escalate_to_manager',
      'add_notification_target',
      'change_notification_target',
      'check_notification_target',
      'remove_notification_target',
      'dismiss_suggestion',
      'stop_enrollment',
      'act_on_enrollments',
      'pause_sequence',
      'draft_sequence',
      'publish_sequence',
    ]);
    for (const { name, inputSchema } of tools) expect('token' in (inputSchema.properties ?? {}), name).toBe(names(false).includes(name));
  });

  test('explains somebody without naming their address', async () => {
    const { data, text } = await call(agent, 'explain', { email, gates: true });
    expect(data['explanations']).toMatchObject([{ enrollment_id: enrollment, sequence: 'cart', entries: expect.any(Array) as unknown }]);
    expect(text).toContain('quiet_hours');
    expect(text).not.toContain(email);
    expect(await call(agent, 'explain', { enrollment_id: enrollment })).toMatchObject({ failed: false });
  });

  test('answers every other question', async () => {
    const { data } = await call(agent, 'contacts', { email });
    const [contact] = data['contacts'] as { id: string }[];
    expect(contact?.id).toMatch(/^[0-9a-f-]{36}$/);
    const rehearsed = await call(agent, 'rehearse', { contact: contact?.id, sequence: 'cart' });
    expect(rehearsed.data['events']).toEqual(expect.arrayContaining([expect.objectContaining({ kind: 'sent', step: 'email_2h' })]));
    expect((await call(agent, 'why_not_sent', { days: 7 })).data).toMatchObject({
      reasons: expect.any(Array) as unknown,
      not_begun: expect.any(Array) as unknown,
    });
    expect((await call(agent, 'preview', { sequence: 'cart', step: 'email_2h', locale: 'de' })).data).toMatchObject({
      channel: 'email',
      subject: expect.any(String) as unknown,
    });
    expect((await call(agent, 'analytics', { days: 30 })).data).toMatchObject({ total_sequences: 1 });
    expect((await call(agent, 'analytics', { sequence: 'cart' })).data).toMatchObject({ enrolled: 1 });
    expect((await call(agent, 'quarantine')).data).toEqual({ deliveries: [], more: false });
    expect((await call(agent, 'parked')).data).toEqual({ parked: [], more: false });
    expect((await call(agent, 'list_sequences')).text).toContain('"slug": "cart"');
  });

  test('names nobody in previews', async () => {
    expect(await call(agent, 'preview', { sequence: 'cart', step: 'email_2h', contact: email })).toMatchObject({
      failed: true,
      data: { code: 'not_possible' },
    });
  });

  test('says what the API refuses, and what is wrong with a call', async () => {
    expect(await call(agent, 'analytics', { sequence: 'nothing' })).toMatchObject({ failed: true, data: { code: 'unknown_sequence' } });
    expect((await call(agent, 'analytics', { days: 'many' })).failed).toBe(true);
    expect((await call(agent, 'analytics', { dayz: 3 })).failed).toBe(true);
  });

  test('answers the client of the API too, and says what is no message', async () => {
    const client = clientOf(shop);
    const { data } = await client.mcp.send({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
    expect(JSON.stringify(data)).toContain('"why_not_sent"');
    expect((await client.mcp.send({ jsonrpc: '2.0', id: { no: 'id' }, method: 3 })).error).toMatchObject({ status: 400, code: 'invalid_request' });
    expect(await client.mcp.send({ jsonrpc: '2.0', method: 'notifications/initialized' })).toEqual({ data: null, error: null });
  });

  test('lets nobody in without a key, and shows a store nothing of another', async () => {
    await expect(connected(`rk_${'x'.repeat(40)}`)).rejects.toThrow(/401|invalid_api_key|Unauthorized/);
    const other = await connected((await anotherStore(shop, `other-${shop.tenant.slug}`)).apiKey);
    expect((await call(other, 'explain', { email })).data['explanations']).toEqual([]);
    expect(await call(other, 'explain', { enrollment_id: enrollment })).toMatchObject({ failed: true });
  });

  test('a key that may only read changes nothing', async () => {
    const { apiKey } = await issueKey(shop.deps, shop.tenant.tenantId, { name: 'looks', role: 'viewer', expiresAtMs: null }, 'test');
    const viewer = await connected(apiKey);
    const { data } = await call(viewer, 'pause_sequence', { sequence: 'cart', note: 'x' });
    expect(await call(viewer, 'pause_sequence', { sequence: 'cart', note: 'x', token: data.token })).toMatchObject({
      failed: true,
      data: { code: 'forbidden' },
    });
  });
});

describe('what changes something', () => {
  test('is described first, and done by exactly the same call with the token, once', async () => {
    const client = clientOf(shop);
    const wish = { sequence: 'cart', note: 'the shop is closed' };
    const { data } = await call(agent, 'pause_sequence', wish);
    expect(data).toMatchObject({ done: false, would: { pauses: 'cart', waiting_enrollments: 1 } });
    expect((await client.sequences.get('cart')).data?.paused).toBe(false);
    expect(await call(agent, 'pause_sequence', { ...wish, note: 'another', token: data.token })).toMatchObject({
      failed: true,
      data: { code: 'not_confirmed' },
    });
    expect((await client.sequences.get('cart')).data?.paused).toBe(false);
    const again = await call(agent, 'pause_sequence', wish);
    expect(await call(agent, 'pause_sequence', { note: wish.note, token: again.data.token, sequence: 'cart' })).toMatchObject({
      data: { done: true, paused: true },
    });
    expect((await client.sequences.get('cart')).data?.paused).toBe(true);
    expect(await call(agent, 'pause_sequence', { ...wish, token: again.data.token })).toMatchObject({
      failed: true,
      data: { code: 'not_confirmed' },
    });
    await client.sequences.resume('cart');
  });

  test('is not allowed by another key’s token', async () => {
    const { data } = await call(agent, 'pause_sequence', { sequence: 'cart', note: 'x' });
    const second = await connected(
      (await issueKey(shop.deps, shop.tenant.tenantId, { name: 'second', role: 'owner', expiresAtMs: null }, 'test')).apiKey,
    );
    expect(await call(second, 'pause_sequence', { sequence: 'cart', note: 'x', token: data.token })).toMatchObject({
      failed: true,
      data: { code: 'not_confirmed' },
    });
  });

  test('a draft is stored and published as it was seen, and not where it was changed meanwhile', async () => {
    const client = clientOf(shop);
    const wish = { sequence: 'thanks', yaml: yaml('Thanks') };
    const draft = await call(agent, 'draft_sequence', wish);
    expect(draft.data.would).toMatchObject({ stores_draft_of: 'thanks', new_sequence: true, replaces_draft: null });
    expect((await client.sequences.draft('thanks')).error?.status).toBe(404);
    expect(await call(agent, 'draft_sequence', { ...wish, token: draft.data.token })).toMatchObject({
      data: { done: true, findings: expect.any(Array) as unknown },
    });
    const seen = await call(agent, 'publish_sequence', { sequence: 'thanks' });
    expect(seen.data.would).toMatchObject({ publishes: 'thanks', over_version: 0, steps: [{ step: 'mark', change: 'added' }] });
    await client.sequences.storeDraft('thanks', { yaml: yaml('Many thanks'), copy: {} });
    expect(await call(agent, 'publish_sequence', { sequence: 'thanks', token: seen.data.token })).toMatchObject({ failed: true });
    const anew = await call(agent, 'publish_sequence', { sequence: 'thanks' });
    expect(await call(agent, 'publish_sequence', { sequence: 'thanks', token: anew.data.token })).toMatchObject({ data: { done: true, version: 1 } });
  });

  test('many are acted on as they were counted, and not where there are more by then', async () => {
    const wish = { action: 'pause', filter: { sequence: 'cart', status: 'ACTIVE' }, note: 'stock count' };
    const { data } = await call(agent, 'act_on_enrollments', wish);
    expect(data).toMatchObject({ done: false, would: { does: 'pause', to: expect.any(Number) as unknown } });
    const { to } = data.would as { to: number };
    await leaveCart(shop, 'c-later', 'later@example.com');
    const refused = await call(agent, 'act_on_enrollments', { ...wish, token: data.token });
    expect(refused).toMatchObject({ failed: true, data: { code: 'more_than_counted' } });
    const anew = await call(agent, 'act_on_enrollments', wish);
    const { data: begun } = await call(agent, 'act_on_enrollments', { ...wish, token: anew.data.token });
    expect(begun).toMatchObject({ done: true, state: 'running', matched: to + 1 });
    await shop.app.inject({
      method: 'POST',
      url: `/api/bulk-actions/${String(begun['id'])}/cancel`,
      headers: { authorization: `Bearer ${shop.tenant.apiKey}` },
    });
  });

  test('somebody is told of their tasks, after a question, and their address is named to nobody', async () => {
    const twice = async (name: string, given: Record<string, unknown>) => {
      const { data } = await call(agent, name, given);
      return (await call(agent, name, { ...given, token: data.token })).data;
    };
    const wish = { channel: 'email', address: 'mia@example.com', owner: 'Mia' };
    const target = String((await twice('add_notification_target', wish))['target']);
    expect(await twice('change_notification_target', { target, kinds: ['escalation'] })).toMatchObject({ owner: 'Mia', kinds: ['escalation'] });
    const listed = await call(agent, 'list_notification_targets', {});
    expect(listed.data['targets']).toMatchObject([{ id: target, owner: 'Mia', channel: 'email' }]);
    expect(listed.text).not.toContain('mia@example.com');
    expect(await twice('check_notification_target', { target })).toMatchObject({ outcome: 'accepted' });
    expect(await twice('remove_notification_target', { target })).toMatchObject({ done: true });
    expect((await call(agent, 'list_notification_targets', {})).data['targets']).toEqual([]);
  });

  test('an enrollment ends when it was confirmed, and is then over', async () => {
    const wish = { enrollment_id: enrollment, reason: 'she called' };
    const { data } = await call(agent, 'stop_enrollment', wish);
    expect(data.would).toMatchObject({ ends: enrollment, sequence: 'cart' });
    expect((await shop.enrollmentOf('c1'))?.status).toBe('ACTIVE');
    expect(await call(agent, 'stop_enrollment', { ...wish, token: data.token })).toMatchObject({ data: { done: true } });
    expect((await shop.enrollmentOf('c1'))?.status).toBe('EXITED');
    expect(await call(agent, 'stop_enrollment', wish)).toMatchObject({ failed: true, data: { code: 'not_possible' } });
  });
});

describe('rekindle mcp', () => {
  async function started(...options: string[]): Promise<Client> {
    const client = new Client({ name: 'test', version: '1' });
    const env = { ...process.env, REKINDLE_API_URL: url, REKINDLE_API_KEY: shop.tenant.apiKey } as Record<string, string>;
    const args = [resolve(import.meta.dirname, '../../local/rekindle.mjs'), 'mcp', ...options];
    await client.connect(new StdioClientTransport({ command: process.execPath, args, env }));
    open.push(client);
    return client;
  }

  test('serves the same tools, with addresses masked', async () => {
    const client = await started();
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual((await agent.listTools()).tools.map(({ name }) => name));
    expect((await call(client, 'explain', { email })).text).toContain(enrollment);
    expect((await call(client, 'preview', { sequence: 'cart', step: 'email_2h', contact: email })).failed).toBe(true);
  });

  test('names people where it is told to, and never a secret', async () => {
    const client = await started('--personal-data');
    expect(await call(client, 'preview', { sequence: 'cart', step: 'email_2h', contact: email })).toMatchObject({ failed: false });
    for (const [name, given] of [
      ['explain', { email, gates: true }],
      ['contacts', { email }],
      ['list_sequences', {}],
      ['list_alarms', {}],
      ['analytics', {}],
      ['attribution', {}],
      ['learning', {}],
    ] as const)
      expect((await call(client, name, given)).text).not.toContain(shop.tenant.apiKey);
  });
});
