import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { auditLog, campaignLeads, importParts, imports, subjects } from '../../db/schema/index.ts';
import { lead } from '../../domain/subjects/lead/index.ts';
import { createConnection } from '../../operations/connections.ts';
import { beginImport, type ImportBegun, type ImportWish } from '../../operations/imports/imports.ts';
import { createImportWorker } from '../../operations/imports/take-in-rows.ts';
import { anotherStore, ask } from '../api/left-carts.ts';
import type { ImportProcessConfig } from '../chaos/import-process.ts';
import { startScript } from '../chaos/own-process.ts';
import { openShop, type Shop, until } from '../helpers/shop.ts';

// Files of leads, from the upload to the leads (docs/adr/0042-bulk-import.md).

const masterKey = randomBytes(32);
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1, masterKey });
});
afterAll(() => shop.close());

type Shown = Record<string, unknown> & { id: string };
const own = <T>(look: (tx: Parameters<Parameters<Shop['deps']['db']['withTenant']>[1]>[0]) => Promise<T>) =>
  shop.deps.db.withTenant(shop.tenant.tenantId, look);
const api = async (path: string, method: 'GET' | 'POST' = 'GET', body?: Record<string, unknown>) => ask(shop, shop.tenant.apiKey, path, method, body);
async function upload(file: string | Buffer, query = '', headers: Record<string, string> = {}) {
  const all = { authorization: `Bearer ${shop.tenant.apiKey}`, 'content-type': 'text/csv', ...headers };
  const answer = await shop.app.inject({ method: 'POST', url: `/api/imports${query}`, headers: all, payload: file });
  return { status: answer.statusCode, body: answer.json<Shown>() };
}
const show = async (id: string) => (await api(`/api/imports/${id}`)).body as Shown;
const errors = async (id: string) => ((await api(`/api/imports/${id}/errors`)).body as { data: { line: number; reason: string }[] }).data;

/** As the worker does, to the end. */
async function work(id: string, limits: Parameters<typeof createImportWorker>[1] = {}): Promise<Shown> {
  const worker = createImportWorker(shop.deps, limits);
  try {
    return await until(
      'the end of the import',
      async () => {
        await worker.pass();
        const now = await show(id);
        return now['state'] !== 'running' && now;
      },
      100_000,
    );
  } finally {
    await worker.stop();
  }
}
const leadsNamed = (pattern: string) =>
  own((tx) =>
    tx
      .select({ id: subjects.id, details: subjects.details, email: subjects.email })
      .from(subjects)
      .where(sql`kind = ${lead.kind} and email like ${pattern}`),
  );

test('the rows of a file are leads, by the names of its columns, with their source', async () => {
  const csv =
    '\ufeffVorname;Nachname;E-Mail-Adresse;Telefon;Interesse\nAda;Example;ada@one.example.com;+436641234567;"Küche; mit Insel"\n;;bob@one.example.com;;\n';
  const begun = await upload(csv, `?columns=${encodeURIComponent('{"Interesse":"interest"}')}`);
  expect(begun).toMatchObject({ status: 202, body: { state: 'running', rows: 0, bytes: Buffer.byteLength(csv), ignored_columns: [] } });
  expect(await work(begun.body.id)).toMatchObject({ state: 'done', rows: 2, taken_in: 2, mistakes: 0, bytes_done: Buffer.byteLength(csv) });
  const [ada] = ((await api('/api/leads?email=ada@one.example.com')).body as { data: Record<string, unknown>[] }).data;
  expect(ada).toMatchObject({ firstName: 'Ada', lastName: 'Example', phone: '+436641234567', source: 'BULK', interest: 'Küche; mit Insel' });
  expect(await leadsNamed('%@one.example.com')).toHaveLength(2);
  // The file is gone with its end, and who began it is on record.
  expect(await own((tx) => tx.select().from(importParts).where(eq(importParts.importId, begun.body.id)))).toEqual([]);
  const [entry] = await own((tx) => tx.select().from(auditLog).where(sql`action = 'import.start' and subject = ${begun.body.id}`));
  expect(entry?.actor).toMatch(/^api_key:/);
});

test('columns say what people agreed to: a yes is a consent with its wording, an empty or unticked one is none', async () => {
  const header = 'email;phone;smsConsent;Anruf erlaubt;consentWording';
  const rows = ['ada@agree.example.com;+436641234561;ja;x;Texts and calls about my inquiry', 'bob@agree.example.com;+436641234562;nein;;'];
  const begun = await upload(`${[header, ...rows].join('\n')}\n`, `?columns=${encodeURIComponent('{"Anruf erlaubt":"callConsent"}')}`);
  expect(await work(begun.body.id)).toMatchObject({ state: 'done', taken_in: 2, mistakes: 0 });
  const statements = async (email: string) => {
    const { data } = (await api(`/api/consents?email=${email}`)).body as { data: Record<string, unknown>[] };
    return new Map(data.map(({ channel, state, wording }) => [channel, `${String(state)}: ${String(wording)}`]));
  };
  const wording = 'granted: Texts and calls about my inquiry';
  expect(await statements('ada@agree.example.com')).toEqual(
    new Map([
      ['sms', wording],
      ['call', wording],
    ]),
  );
  expect(await statements('bob@agree.example.com')).toEqual(new Map());
});

test('UTF-16 is read as its mark says, also the names of columns', async () => {
  const file = Buffer.from('\ufeffemail;Größe\na@sixteen.example.com;groß\n', 'utf16le');
  const { status, body } = await upload(file, `?columns=${encodeURIComponent('{"Größe":"interest"}')}`);
  expect(status).toBe(202);
  expect(await work(body.id)).toMatchObject({ state: 'done', rows: 1, taken_in: 1, mistakes: 0 });
  expect(await leadsNamed('%@sixteen.example.com')).toMatchObject([{ email: 'a@sixteen.example.com', details: { interest: 'groß' } }]);
});

test('a label of the file’s leads changes nothing about how they came in', async () => {
  const begun = await upload('email\nada@fair.example.com\n', '?source=fair');
  await work(begun.body.id);
  const { data } = (await api('/api/leads?email=ada@fair.example.com')).body as { data: Record<string, unknown>[] };
  expect(data).toMatchObject([{ source: 'BULK', statedSource: 'fair' }]);
});

test('a row’s mistake is named with its line, and the rest goes on', async () => {
  const rows = [
    'email,phone,name',
    'ada@two.example.com,,Ada',
    ',,Nobody',
    'not an address,,Bob',
    '"cleo@two.example.com",,"Cleo\nExample"',
    'dan@two.example.com,,Dan,too,many',
    'eve@two.example.com,12,Eve',
    '',
    'fay@two.example.com,,"Fay',
  ];
  const begun = await upload(rows.join('\n'));
  expect(await work(begun.body.id)).toMatchObject({ state: 'done', taken_in: 3 });
  const found = await errors(begun.body.id);
  expect(found.map(({ line }) => line).toSorted((a, b) => a - b)).toEqual([3, 4, 7, 8, 9]);
  expect(JSON.stringify(found)).not.toMatch(/two\.example\.com|Nobody|not an address/);
  const reason = (line: number) => found.find((one) => one.line === line)?.reason;
  expect(reason(3)).toBe('names nobody: email, phone and id are empty');
  expect(reason(7)).toMatch(/has 5 fields, and the header 3/);
  expect(found.find(({ line }) => line === 8)).toMatchObject({ taken_in: true, reason: expect.stringMatching(/^phone /) as unknown });
  // The row began behind line 8; the empty line before it belongs to nobody.
  expect(reason(9)).toMatch(/quotation mark that is not closed/);
  expect((await leadsNamed('%@two.example.com')).map(({ email }) => String(email)).toSorted((a, b) => a.localeCompare(b))).toEqual([
    'ada@two.example.com',
    'cleo@two.example.com',
    'eve@two.example.com',
  ]);
});

test('the leads of a campaign’s import are in it, with who put them in; no more than it takes', async () => {
  const made = await api('/api/campaigns', 'POST', { name: 'From files', autoAssign: { sources: ['NONE'], maxLeads: 2 } });
  const { id: campaign } = made.body as { id: string };
  const begun = await upload('id,email\n1,a@three.example.com\n2,b@three.example.com\n3,c@three.example.com\n', `?campaign=${campaign}&source=fair`);
  expect(await work(begun.body.id)).toMatchObject({ state: 'done', taken_in: 3, campaign, source: 'fair' });
  const members = await own((tx) => tx.select().from(campaignLeads).where(eq(campaignLeads.campaignId, campaign)));
  expect(members).toMatchObject([{ cameBy: 'bulk' }, { cameBy: 'bulk' }]);
  expect(members[0]?.actor).toMatch(/^api_key:/);
  expect((await errors(begun.body.id)).map(({ reason }) => reason)).toEqual(['is not in the campaign: it has as many leads as it takes']);
});

test('killed in the middle again and again, it goes on: nothing lost, nobody twice', async () => {
  const many = 200;
  const csv = ['email,first_name,externalId', ...Array.from({ length: many }, (_row, n) => `p${n}@four.example.com,P${n},four-${n}`)].join('\n');
  const begun = await upload(csv);
  let seen = 0;
  for (let kill = 0; kill < 2; kill += 1) {
    const config: ImportProcessConfig = { databaseUrl: shop.database.url, masterKey: masterKey.toString('base64'), perStep: 40 };
    const worker = await startScript('tests/chaos/import-process.ts', { args: [JSON.stringify(config)] });
    await worker.ready;
    const before = seen;
    seen = await until('some more rows', async () => {
      const rows = Number((await show(begun.body.id))['rows']);
      return rows > before && rows;
    });
    worker.child.kill('SIGKILL');
    await new Promise((done) => worker.child.once('exit', done));
    // As time would.
    await own((tx) => tx.update(imports).set({ claimedUntil: sql`clock_timestamp() - interval '1 second'` }).where(eq(imports.id, begun.body.id)));
  }
  expect(seen).toBeLessThan(many);
  expect(await work(begun.body.id)).toMatchObject({ state: 'done', rows: many, taken_in: many, mistakes: 0 });
  const leads = await leadsNamed('%@four.example.com');
  expect(leads).toHaveLength(many);
  expect(new Set(leads.map(({ email }) => email)).size).toBe(many);
});

test('an import ends with more mistakes than the most, and the first stay listed', async () => {
  const rows = (n: number) => `email\n${Array.from({ length: n }, (_, row) => `,${row}\n`).join('')}`;
  const limits = { perStep: 2, mostMistakes: 5 };
  const most = (await upload(rows(5))).body;
  expect(await work(most.id, limits)).toMatchObject({ state: 'done', fault: null });
  const more = (await upload(rows(9))).body;
  expect(await work(more.id, limits)).toMatchObject({ state: 'cancelled', fault: expect.stringContaining('more than 5 lines') as unknown, rows: 6 });
  expect((await errors(more.id)).map(({ line }) => line)).toEqual([2, 3, 4, 5, 6]);
  expect(await own((tx) => tx.select({ n: importParts.number }).from(importParts).where(eq(importParts.importId, more.id)))).toEqual([]);
});

describe('an upload', () => {
  const wish = (): ImportWish => ({ tenantId: shop.tenant.tenantId, campaignId: null, source: 'BULK', columns: {}, actor: 'test' });
  const stored = () => own(async (tx) => [(await tx.select().from(imports)).length, (await tx.select().from(importParts)).length]);
  const left = async (file: AsyncIterable<Buffer>, most?: number): Promise<ImportBegun | Error> =>
    beginImport(shop.deps, wish(), file, most).catch((error: unknown) => error as Error);

  test('that is too large is refused as such, and leaves nothing', async () => {
    const before = await stored();
    expect(await left(Readable.from(Array.from({ length: 5 }, () => Buffer.alloc(200_000, 'a'))), 500_000)).toEqual({
      kind: 'too_large',
      most: 500_000,
    });
    expect(await stored()).toEqual(before);
    const said = await upload('email\na@five.example.com\n', '', { 'content-length': String(300 * 1024 * 1024) }).catch(() => null);
    if (said !== null)
      expect(said).toMatchObject({ status: 413, body: { code: 'too_large', detail: expect.stringContaining('200 MiB') as unknown } });
    expect(await stored()).toEqual(before);
  });

  test('that breaks off leaves nothing', async () => {
    const before = await stored();
    async function* broken() {
      yield Buffer.alloc(300_000, 'a');
      throw new Error('the sender went away');
    }
    expect(await left(broken())).toBeInstanceOf(Error);
    expect(await stored()).toEqual(before);
  });

  test('is larger than what memory holds of it: it is stored in parts', async () => {
    const file = Readable.from(Array.from({ length: 30 }, (_x, n) => Buffer.from(n === 0 ? 'email\n' : `${'x'.repeat(60_000)}\n`)));
    const begun = await left(file);
    if (begun instanceof Error || begun.kind !== 'begun') throw new Error('it was refused');
    const parts = await own((tx) => tx.select({ size: sql<number>`length(data)` }).from(importParts).where(eq(importParts.importId, begun.row.id)));
    expect(parts.length).toBeGreaterThan(4);
    for (const { size } of parts) expect(size).toBeLessThan(400_000);
    expect(await api(`/api/imports/${begun.row.id}/cancel`, 'POST')).toMatchObject({ status: 200, body: { state: 'cancelled' } });
    expect(await api(`/api/imports/${begun.row.id}/cancel`, 'POST')).toMatchObject({ status: 409, body: { code: 'wrong_state' } });
    expect(await own((tx) => tx.select().from(importParts).where(eq(importParts.importId, begun.row.id)))).toEqual([]);
  });

  test.each([
    ['an empty file', '', '', 400, /no header|itself as the body/],
    ['a file that names nobody', 'colour,size\nred,4\n', '', 400, /no column holds an email address.*"colour", "size"/],
    ['two columns for one thing', 'email,e-mail\na@x.example.com,b@x.example.com\n', '', 400, /two columns hold email/],
    ['a column that is not there', 'email\na@x.example.com\n', '?columns={"Mail":"email"}', 400, /no column "Mail"; it has "email"/],
    ['something that no column holds', 'email\na@x.example.com\n', '?columns={"email":"shoe size"}', 400, /columns/],
    ['a first line without an end', `email,${'c,'.repeat(40_000)}`, '', 400, /first line is longer than 64 KiB/],
    ['UTF-16 without its mark', Buffer.from('email\na@x.example.com\n', 'utf16le'), '', 400, /not UTF-8/],
    ['UTF-16, the other way round', Buffer.from('\ufeffemail\na@x.example.com\n', 'utf16le').swap16(), '', 400, /not UTF-8/],
    ['a campaign that is not there', 'email\na@x.example.com\n', '?campaign=018f0000-0000-7000-8000-000000000001', 404, /no such campaign/],
  ])('of %s is refused, and says why', async (_what, file, query, status, words) => {
    const before = await stored();
    const answer = await upload(
      file,
      query.replace(/\{.*\}/, (json) => encodeURIComponent(json)),
    );
    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer.body)).toMatch(new RegExp(words.source.replaceAll('"', '\\\\"')));
    expect(await stored()).toEqual(before);
  });

  test('as JSON says what it should be', async () => {
    expect(await api('/api/imports', 'POST', { email: 'a@x.example.com' })).toMatchObject({ status: 400, body: { code: 'no_file' } });
  });
});

test('without a connection for events of its own the import waits, says why, and goes on once there is one', async () => {
  const other = await anotherStore(shop, 'without-connection');
  const begun = await beginImport(
    shop.deps,
    { tenantId: other.tenantId, campaignId: null, source: 'BULK', columns: {}, actor: 'test' },
    Readable.from([Buffer.from('email\na@six.example.com\n')]),
  );
  if (begun.kind !== 'begun') throw new Error(begun.kind);
  const shown = async () => (await ask(shop, other.apiKey, `/api/imports/${begun.row.id}`, 'GET')).body as Shown;
  await shop.deps.db.withTenant(other.tenantId, (tx) => tx.execute(sql`update connections set state = 'disconnected'`));
  const worker = createImportWorker(shop.deps);
  await worker.pass();
  await worker.stop();
  expect(await shown()).toMatchObject({ state: 'running', rows: 0, fault: expect.stringContaining('connections create generic') as unknown });
  await createConnection(shop.deps, other.tenantId, { integration: 'generic', name: 'Leads', config: null, secrets: [] }, 'test');
  await shop.deps.db.withTenant(other.tenantId, (tx) => tx.update(imports).set({ claimedUntil: sql`clock_timestamp() - interval '1 second'` }));
  const again = createImportWorker(shop.deps);
  await again.pass();
  await until('its end', async () => (await shown())['state'] === 'done');
  await again.stop();
  expect(await shown()).toMatchObject({ state: 'done', taken_in: 1, fault: null });
});
