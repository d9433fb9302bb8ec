import { afterAll, beforeAll, expect, test } from 'vitest';
import { openShop, type Shop } from '../helpers/shop.ts';

// What browsers and caches are told, on every kind of route: an answer is used for nothing but what it is for.

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

const kinds = [
  ['a page of links', 'GET', '/'],
  ['the dashboard', 'GET', '/app'],
  ['a place in the dashboard', 'GET', '/app/shop/people'],
  ['the sign-in page', 'GET', '/sign-in'],
  ['an invitation', 'GET', '/invitation'],
  ['the reference', 'GET', '/docs'],
  ['the description', 'GET', '/openapi.json'],
  ['a list', 'GET', '/api/contacts'],
  ['a list without a key', 'GET', '/api/contacts'],
  ['a change', 'POST', '/api/contacts'],
  ['a session', 'GET', '/api/session'],
  ['a webhook', 'POST', '/api/webhooks/generic/unknown'],
  ['a picture', 'GET', '/o/unknown'],
  ['a click', 'GET', '/c/unknown'],
  ['unsubscribing', 'GET', '/u/unknown'],
  ['a link of a notification', 'GET', '/t/unknown'],
  ['the button of a notification', 'POST', '/t/accept/unknown'],
  ['what a page asks for a pop-up', 'POST', '/onsite/views'],
  ['what a page reports of a pop-up', 'POST', '/onsite/reports'],
  ['health', 'GET', '/readyz'],
  ['figures', 'GET', '/metrics'],
  ['tools', 'POST', '/mcp'],
  ['a preflight', 'OPTIONS', '/api/contacts'],
  ['another method', 'TRACE', '/api/contacts'],
  ['nothing', 'GET', '/nowhere'],
] as const;

test('each of these is a route, or means to be none', async () => {
  const answers = await Promise.all(
    kinds.map(async ([what, method, url]) => ({ what, answer: await shop.app.inject({ method: method as 'GET', url }) })),
  );
  const nowhere = answers.filter(({ answer }) => answer.statusCode === 404 && answer.body.includes('"code":"not_found"')).map(({ what }) => what);
  expect(nowhere).toEqual(['nothing']);
});

test.each(kinds)('%s: %s %s', async (what, method, url) => {
  const key = what.endsWith('without a key') ? {} : { authorization: `Bearer ${shop.tenant.apiKey}` };
  const { headers } = await shop.app.inject({ method: method as 'GET', url, headers: { ...key, origin: 'https://evil.example' } });
  expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-permitted-cross-domain-policies': 'none' });
  expect(headers['referrer-policy']).toMatch(/^(no-referrer|same-origin)$/);
  const policy = String(headers['content-security-policy']);
  for (const part of ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"]) expect(policy).toContain(part);
  expect(policy).not.toMatch(/unsafe|\*/);
  // Neither who we are, nor to a page of another site what we say.
  for (const name of ['server', 'x-powered-by', 'access-control-allow-origin']) expect(headers).not.toHaveProperty(name);
  if (String(headers['content-type']).startsWith('text/html'))
    expect(headers).toMatchObject({ 'x-frame-options': 'DENY', 'cross-origin-opener-policy': 'same-origin' });
  // What is a store's stays in no cache between.
  if (what === 'a list') expect(headers['cache-control']).toContain('private');
});
