import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { integrations } from '../../integrations/index.ts';
import type { RecommendationRequest, Recommender } from '../../integrations/port.ts';

const nowMs = Date.UTC(2026, 10, 20, 9, 0);
const limits = { timeoutMs: 1_000, nowMs };
const wish: RecommendationRequest = { goal: 'buy', interest: null, area: null, language: 'en', limit: 20 };

function recommenderOf(name: string, config: unknown): Recommender {
  const made = integrations[name]?.recommender?.(config);
  if (made === undefined) throw new Error(`${name} recommends nothing`);
  return made;
}

describe('a list as a file', () => {
  const head = 'id,title,area,goal,price,currency,units_left,url,observed_at,expires_at';
  const csv = [
    head,
    'tower-2,"Lakeside Tower, 2 rooms",Lakeside,buy,415000,EUR,3,https://homes.example/tower-2,2026-11-19,',
    'court-1,Garden Court,Old Town,rent,1250.50,EUR,many,javascript:alert(1),2026-11-20T08:00:00Z,2026-12-01',
    'old-1,Sold House,Lakeside,,,,,,2026-10-01,',
    'any-1,Open Loft,Old Town,,,,0,,2026-11-20,',
  ].join('\n');
  const list = () => recommenderOf('recommendations-csv', { csv });
  const idsFor = async (request: Partial<RecommendationRequest>) =>
    (await list().recommend({ ...wish, ...request }, limits)).properties.map(({ id }) => id);

  test('has price, units left, date and end of each property, and leaves out what cannot be understood', async () => {
    const { properties } = await list().recommend({ ...wish, goal: null }, limits);
    expect(properties).toEqual([
      {
        ...{ id: 'tower-2', title: 'Lakeside Tower, 2 rooms', area: 'Lakeside', priceMinor: 41_500_000, currency: 'EUR', unitsLeft: 3 },
        ...{ url: 'https://homes.example/tower-2', observedAtMs: Date.UTC(2026, 10, 19), expiresAtMs: Date.UTC(2026, 10, 26) },
      },
      expect.objectContaining({ id: 'court-1', priceMinor: 125_050, unitsLeft: null, url: null, expiresAtMs: Date.UTC(2026, 11, 1) }),
      expect.objectContaining({ id: 'any-1', priceMinor: null, currency: null, unitsLeft: 0 }),
    ]);
  });

  test('is chosen from by the goal, and by an area that the person named', async () => {
    expect(await idsFor({ goal: 'buy' })).toEqual(['tower-2', 'any-1']);
    expect(await idsFor({ goal: 'a flat in the Old Town, please' })).toEqual(['court-1', 'any-1']);
    expect(await idsFor({ goal: 'a flat with a view' })).toEqual(['tower-2', 'court-1', 'any-1']);
    expect(await idsFor({ area: 'Harbour' })).toEqual([]);
  });

  test.each([
    ['another column', 'id,title,rooms\n', 'line 1 has a column "rooms"'],
    ['a row without a time', 'id,title\na,b\n', 'line 2 has no observed_at'],
    ['a row without a title', 'id,observed_at\na,2026-11-20\n', 'line 2 has no title'],
    ['a goal that is none', 'id,title,goal,observed_at\na,b,sell,2026-11-20\n', 'line 2 has a goal'],
    ['an open quotation mark', 'id,title\n"a', 'cannot be read'],
    ['nothing', '', 'line 1 is empty'],
  ])('with %s is refused when it is entered, with the line', (_, text, message) => {
    const read = integrations['recommendations-csv']?.config?.safeParse({ csv: text });
    expect(read?.error?.issues).toEqual([expect.objectContaining({ path: ['csv'], message: expect.stringContaining(message) })]);
  });

  test('says how much of it can be stated', async () => {
    expect(await list().check(nowMs)).toBe('a list of 4 properties, of which 3 can be stated now');
  });
});

describe('a source behind HTTP', () => {
  let server: http.Server;
  let url = '';
  const asked: { headers: http.IncomingHttpHeaders; body: unknown }[] = [];
  let answer: (response: http.ServerResponse) => void = () => {};
  const respond = (status: number, body: string) => (answer = (response) => response.writeHead(status).end(body));
  beforeAll(async () => {
    server = http.createServer((request, response) => {
      let body = '';
      request.on('data', (part) => (body += String(part)));
      request.on('end', () => {
        asked.push({ headers: request.headers, body: JSON.parse(body) as unknown });
        answer(response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/recommend`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const source = (config: Record<string, unknown> = {}) => recommenderOf('recommendations-http', { url, token: 'secret-token', ...config });

  test('is asked for what the person looks for, and nothing that names them', async () => {
    respond(
      200,
      JSON.stringify({
        message: 'Fresh from our\nlist',
        properties: [{ id: 7, title: 'Loft', price: '99.5', currency: 'kwd', units_left: 2 }, 'x', {}],
      }),
    );
    const found = await source({ validHours: 2 }).recommend({ ...wish, area: 'Lakeside' }, limits);
    expect(asked.at(-1)?.body).toEqual({ goal: 'buy', interest: null, area: 'Lakeside', language: 'en', limit: 20 });
    expect(asked.at(-1)?.headers.authorization).toBe('Bearer secret-token');
    expect(found).toEqual({
      message: 'Fresh from our list',
      properties: [
        {
          ...{ id: '7', title: 'Loft', area: null, priceMinor: 99_500, currency: 'KWD', unitsLeft: 2, url: null },
          ...{ observedAtMs: nowMs, expiresAtMs: nowMs + 2 * 3_600_000 },
        },
      ],
    });
  });

  test.each<[string, () => void]>([
    ['another status', () => respond(500, '{}')],
    ['no JSON', () => respond(200, 'hello')],
    ['another shape', () => respond(200, '{"items":[]}')],
    ['more than anybody asked for', () => respond(200, `{"properties":["${'x'.repeat(300_000)}"]}`)],
    ['another address', () => (answer = (response) => response.writeHead(302, { location: url }).end())],
    ['a broken line', () => (answer = (response) => response.destroy())],
  ])('with %s gives no list', async (_, prepare) => {
    prepare();
    await expect(source().recommend(wish, limits)).rejects.toThrow();
  });

  test('that does not answer in time gives no list', async () => {
    answer = () => {};
    await expect(source().recommend(wish, { ...limits, timeoutMs: 50 })).rejects.toThrow(/timeout/i);
  });
});
