import fc from 'fast-check';
import { eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { contacts, enrollments, messages, sequenceVersions } from '../../db/schema/index.ts';
import type { Lifecycle } from '../../domain/people/lifecycle.ts';
import { routingPass } from '../../operations/campaigns/route-leads.ts';
import { signStandardWebhook } from '../../integrations/standard-webhooks.ts';
import { createVapiSender } from '../../integrations/vapi/send.ts';
import { createConnection, ensureConnection } from '../../operations/connections.ts';
import { ask, dispatch, type Method } from '../api/left-carts.ts';
import { letTimePass, openShop, type Shop } from '../helpers/shop.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { createStubSender } from '../helpers/stub-sender.ts';
import { testConfig, vapiDialect } from '../integrations/vapi/conformance.ts';

// The whole center in any order: leads, repeats, conversions and their reversals, pauses and ends of campaigns, opt-outs, replies, what a provider reports
// about calls, and the time that passes between them. More histories than `npm test` has: CENTER_HISTORIES=200 npx vitest run tests/operations/center-histories.test.ts

const histories = Number(process.env['CENTER_HISTORIES'] ?? 6);
const hourMs = 3_600_000;
const most = 2;
const withinHours = 72;

let shop: Shop;
let phone: StubProvider;
let lines: StubProvider;
let tracker: string;
let reports: string;
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
beforeAll(async () => {
  phone = await startStubProvider(true);
  let made = 0;
  lines = await startStubProvider(false, {
    ...vapiDialect,
    get taken() {
      made += 1;
      return { status: 201, body: { id: `call-${made}` } };
    },
  });
  const calls = testConfig(lines.port);
  shop = await openShop({
    timeScale: 1,
    moreSenders: [createStubSender(phone.port, { kind: 'keys', account: 'phone', channel: 'sms' }), createVapiSender(calls)],
    settings: { requireConsent: [], smsSender: '+12025550100', caps: [{ channel: null, most, withinHours }] },
  });
  const request = { integration: 'keitaro', name: 'Tracker', config: { currency: 'USD' }, secrets: ['an-invented-token'] };
  const created = await createConnection(
    shop.deps,
    shop.tenant.tenantId,
    { integration: 'vapi', name: 'Calls', config: calls, secrets: [secret] },
    'a test',
  );
  if (created.kind !== 'created') throw new Error(JSON.stringify(created));
  reports = `/api/webhooks/vapi/${created.connection.id}`;
  tracker = (await ensureConnection(shop.deps, shop.tenant.tenantId, request, 'a test')).path;
});
afterAll(async () => {
  await shop.close();
  await phone.stop();
  await lines.stop();
});

const own = <T>(look: (tx: Parameters<Parameters<Shop['deps']['db']['withTenant']>[1]>[0]) => Promise<T>) =>
  shop.deps.db.withTenant(shop.tenant.tenantId, look);
const api = (path: string, method: Method = 'GET', body?: Record<string, unknown>) => ask(shop, shop.tenant.apiKey, path, method, body);

const people = 4;
/** What VAPI reports about a call. */
const ended = {
  answered: { endedReason: 'customer-ended-call', transcript: 'AI: Hello.\nUser: Yes, that sounds good.' },
  not_reached: { endedReason: 'customer-did-not-answer' },
  stop: { endedReason: 'customer-ended-call', transcript: 'AI: Hello.\nUser: Stop calling me.' },
  later: { endedReason: 'customer-ended-call', transcript: 'AI: Hello.\nUser: Call me back in three hours.' },
} as const;
type Command =
  | { does: 'lead' | 'sale' | 'rebill' | 'reject' | 'opt_out' | 'reply'; who: number; again: number }
  | { does: 'call_ended'; who: number; how: keyof typeof ended; twice: boolean }
  | { does: 'pause' | 'resume' | 'end'; campaign: number }
  | { does: 'work' }
  | { does: 'pass'; hours: number };
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ does: fc.constant('lead' as const), who: fc.nat(people - 1), again: fc.nat(1) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constantFrom('sale' as const, 'rebill' as const, 'reject' as const, 'opt_out' as const, 'reply' as const),
      who: fc.nat(people - 1),
      again: fc.nat(1),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constant('call_ended' as const),
      who: fc.nat(people - 1),
      how: fc.constantFrom(...(Object.keys(ended) as (keyof typeof ended)[])),
      twice: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constantFrom('pause' as const, 'resume' as const, 'end' as const), campaign: fc.nat(1) }) },
  { weight: 5, arbitrary: fc.constant({ does: 'work' as const }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('pass' as const), hours: fc.constantFrom(1, 13, 25) }) },
);

/** What may follow each state of a lead; it may also stay. */
const legal: Record<Lifecycle, readonly Lifecycle[]> = {
  NEW: ['IN_PROGRESS', 'CONTACTED', 'CONVERTED', 'REJECTED', 'DO_NOT_CONTACT'],
  IN_PROGRESS: ['CONTACTED', 'CONVERTED', 'REJECTED', 'DO_NOT_CONTACT'],
  CONTACTED: ['CONVERTED', 'REJECTED', 'DO_NOT_CONTACT'],
  CONVERTED: ['REJECTED', 'DO_NOT_CONTACT'],
  REJECTED: ['CONVERTED', 'DO_NOT_CONTACT'],
  DO_NOT_CONTACT: [],
};

/** One history with people and campaigns of its own. */
class History {
  readonly #run: string;
  readonly #campaigns: string[];
  /** How many messages of theirs there may ever be: they have bought, were refused, or want none. */
  readonly #final = new Map<number, number>();
  /** How many calls of theirs there may ever be: they have asked not to be called. */
  readonly #called = new Map<number, number>();
  /** What the tracker has reported about the click of each, `status tid`, in the order of its arrival and each once. */
  readonly #reported = new Map<number, string[]>();
  /** The first report about each call, by the message. */
  readonly #outcomes = new Map<string, string>();
  #lifecycles = new Map<string, Lifecycle>();

  constructor(run: string, campaigns: string[]) {
    this.#run = run;
    this.#campaigns = campaigns;
  }

  email = (who: number) => `${this.#run}-${who}@example.com`;
  phone = (who: number) => `+1202${String(5_560_000 + Number(this.#run.split('-')[1]) * 10 + who)}`;

  async carryOut(given: Command): Promise<void> {
    switch (given.does) {
      case 'lead': {
        const { who, again } = given;
        const contact = { email: this.email(who), phone: this.phone(who), first_name: 'Ada', time_zone: 'Europe/Vienna' };
        await shop.post('lead.created', {
          lead: { id: `${this.#run}-${who}-${again}`, source: this.#run, sub_id: `${this.#run}-click-${who}` },
          contact,
        });
        return;
      }
      case 'sale':
      case 'rebill':
      case 'reject': {
        const { who, again, does } = given;
        const tid = `T-${does === 'rebill' ? 'r' : ''}${again}`;
        const query = `sub_id=${this.#run}-click-${who}&subid=k-${this.#run}-${who}&status=${does}&payout=10&tid=${tid}`;
        const before = this.#reported.get(who) ?? [];
        if (!before.includes(`${does} ${tid}`)) this.#reported.set(who, [...before, `${does} ${tid}`]);
        expect((await shop.app.inject({ method: 'GET', url: `${tracker}?${query}` })).statusCode).toBe(200);
        // A refusal of a transaction that nobody has reported says nothing about the lead.
        if (does !== 'reject') await this.#isFinal(who);
        return;
      }
      case 'call_ended':
        return this.#callEnded(given.who, given.how, given.twice ? 2 : 1);
      case 'opt_out':
        await shop.post('contact.opted_out', { contact: { email: this.email(given.who), phone: this.phone(given.who) }, channel: 'all' });
        return this.#isFinal(given.who);
      case 'reply':
        await shop.post('message.received', { contact: { email: this.email(given.who) }, channel: 'email', text: 'I have a question about it.' });
        return;
      case 'pause':
      case 'resume':
      case 'end': {
        const status = { pause: 'PAUSED', resume: 'ACTIVE', end: 'ENDED' }[given.does];
        await api(`/api/campaigns/${this.#campaigns[given.campaign] ?? ''}`, 'PATCH', { status });
        return;
      }
      case 'work':
        return this.#work();
      case 'pass':
        await letTimePass(shop, given.hours * hourMs);
    }
  }

  /** VAPI reports how the latest call of somebody ended. Where there is none, it is a call that is not ours, and means nothing. */
  async #callEnded(who: number, how: keyof typeof ended, times: number): Promise<void> {
    const latest = (await this.#sentTo(who)).findLast(({ channel }) => channel === 'call');
    const call = { id: latest?.providerId ?? `of-nobody-${this.#run}`, customer: { number: this.phone(who) } };
    const key = latest === undefined ? {} : { assistantOverrides: { metadata: { rekindle_account: 'main', rekindle_key: latest.key } } };
    const { endedReason, ...said } = ended[how];
    for (let n = 0; n < times; n += 1) {
      const type = 'transcript' in said ? 'end-of-call-report' : 'status-update';
      const about = 'transcript' in said ? { artifact: said } : { status: 'ended' };
      const payload = JSON.stringify({ message: { type, ...about, endedReason, timestamp: Date.now(), call: { ...call, ...key } } });
      const atS = Math.floor(Date.now() / 1_000);
      const signed = { 'webhook-id': 'x', 'webhook-timestamp': String(atS), 'webhook-signature': signStandardWebhook(secret, 'x', atS, payload) };
      const headers = { 'content-type': 'application/json', ...signed };
      expect((await shop.app.inject({ method: 'POST', url: reports, headers, payload })).statusCode).toBe(200);
    }
    if (latest === undefined) return;
    if (!this.#outcomes.has(latest.id)) this.#outcomes.set(latest.id, how === 'not_reached' ? 'FAILED' : 'SUCCESS');
    if (how === 'stop' && !this.#called.has(who)) this.#called.set(who, await this.#callsTo(who));
  }

  #callsTo = async (who: number) => (await this.#sentTo(who)).filter(({ channel }) => channel === 'call').length;

  async #isFinal(who: number): Promise<void> {
    if (!this.#final.has(who)) this.#final.set(who, (await this.#sentTo(who)).length);
  }

  /** As the workers do: route, then dispatch what stands next, each twice at once. */
  async #work(): Promise<void> {
    while (await routingPass(shop.deps));
    const silent = await this.#silent();
    const open = await own((tx) =>
      tx
        .select({ id: enrollments.id, definition: sequenceVersions.definition })
        .from(enrollments)
        .innerJoin(sequenceVersions, eq(sequenceVersions.id, enrollments.versionId))
        .where(sql`${enrollments.endedAt} is null and ${enrollments.campaignId} = any(${sql.param(this.#campaigns)}::uuid[])`),
    );
    for (const { id, definition } of open) {
      const settled = new Set((await shop.ledgerOf(id)).filter(({ state }) => state !== 'claimed' && state !== 'failed').map(({ stepId }) => stepId));
      const next = definition.steps.find((step) => step.on === undefined && !settled.has(step.id));
      if (next !== undefined) await Promise.all([dispatch(shop, id, next.id), dispatch(shop, id, next.id)]);
    }
    expect(await this.#silent(), 'campaigns that are paused or have ended send nothing').toEqual({ ...(await this.#silent()), ...silent });
  }

  /** What went out in campaigns that are not active. */
  async #silent(): Promise<Record<string, number>> {
    const { rows } = await own((tx) =>
      tx.execute<{ id: string; n: number }>(sql`
        select k.id, count(m.id)::int as n from campaigns k left join enrollments e on e.campaign_id = k.id
          left join messages m on m.enrollment_id = e.id and m.state in ('sent', 'unknown', 'claimed')
        where k.id = any(${sql.param(this.#campaigns)}::uuid[]) and k.status <> 'ACTIVE' group by 1`),
    );
    return Object.fromEntries(rows.map(({ id, n }) => [id, n]));
  }

  #sentTo(who: number) {
    return own((tx) =>
      tx
        .select({
          id: messages.id,
          key: sql<string>`${messages.enrollmentId} || ':' || ${messages.stepId}`,
          providerId: messages.providerMessageId,
          channel: messages.channel,
          at: sql<number>`extract(epoch from coalesce(settled_at, claimed_at)) * 1000`,
        })
        .from(messages)
        .where(
          sql`${messages.state} in ('sent', 'unknown', 'claimed') and coalesce(${messages.payload} -> 'to' ->> 'address', ${messages.payload} ->> 'to') in (${this.email(who)}, ${this.phone(who)})`,
        )
        .orderBy(sql`3`),
    );
  }

  async check(after: string): Promise<void> {
    for (let who = 0; who < people; who += 1) {
      const sent = await this.#sentTo(who);
      const final = this.#final.get(who);
      if (final !== undefined) expect(sent.length, `${after}: nothing after the end of ${who}`).toBeLessThanOrEqual(final);
      const mails = shop.smtp.accepted.filter((mail) => mail.envelope.to.includes(this.email(who))).length;
      expect(mails, `${after}: each email once`).toBe(sent.filter(({ channel }) => channel === 'email').length);
      const texts = phone.accepted.filter(({ body }) => body.includes(this.phone(who))).length;
      expect(texts, `${after}: each text once`).toBe(sent.filter(({ channel }) => channel === 'sms').length);
      const calls = lines.accepted.filter(({ body }) => body.includes(this.phone(who))).length;
      expect(calls, `${after}: each call once`).toBe(sent.filter(({ channel }) => channel === 'call').length);
      expect(calls, `${after}: nobody is called who wants no calls`).toBeLessThanOrEqual(this.#called.get(who) ?? calls);
      for (const [index, { at }] of sent.entries()) {
        const later = sent[index + most];
        if (later !== undefined) expect(Number(later.at) - Number(at), `${after}: the cap`).toBeGreaterThanOrEqual(withinHours * hourMs - 1_000);
      }
    }
    await this.#checkCampaigns(after);
    await this.#checkLifecycles(after);
  }

  /** What no later event changes by itself. */
  async checkSums(after: string): Promise<void> {
    for (let who = 0; who < people; who += 1) await this.#checkRevenue(who, after);
    await this.#checkAttempts(after);
  }

  /** Revenue is what was reported and not taken back, once it is known whose it is. */
  async #checkRevenue(who: number, after: string): Promise<void> {
    const { rows } = await own((tx) =>
      tx.execute<{ matched: number; waiting: number; minor: number }>(sql`
        with reports as (select * from lead_conversions where click = ${`k-${this.#run}-${who}`})
        select (select count(*)::int from reports where subject_id is not null) as matched,
          (select count(*)::int from reports where subject_id is null) as waiting,
          (select coalesce(sum(o.value_minor), 0)::int from conversions o
            where o.reversed_at is null and o.no_revenue is null and o.subject_id in (select subject_id from reports)) as minor`),
    );
    const [row] = rows;
    const reported = this.#reported.get(who) ?? [];
    expect((row?.matched ?? 0) + (row?.waiting ?? 0), `${after}: each status of a transaction once`).toBe(reported.length);
    const standing = new Set<string>();
    for (const report of reported) {
      const [status, tid = ''] = report.split(' ');
      if (status === 'reject') standing.delete(`sale ${tid}`);
      else standing.add(report);
    }
    if (row?.matched === 0) return expect(row.minor, `${after}: what is nobody’s is no revenue`).toBe(0);
    expect([row?.waiting, row?.minor], `${after}: the revenue of ${who}`).toEqual([0, standing.size * 1_000]);
  }

  async #checkAttempts(after: string): Promise<void> {
    for (const [id, status] of this.#outcomes)
      expect((await api(`/api/attempts/${id}`)).body, `${after}: a call counts by how it ended`).toMatchObject({ status });
  }

  async #checkCampaigns(after: string): Promise<void> {
    const { rows } = await own((tx) =>
      tx.execute<{ leads: number; taken: number; most: number; late: number; open: number; ended: boolean }>(sql`
        select k.leads, (select count(*)::int from campaign_leads l where l.campaign_id = k.id) as taken, (k.auto_assign ->> 'maxLeads')::int as most,
          -- A call that was made before the end may be settled after it.
          (select count(*)::int from enrollments e join messages m on m.enrollment_id = e.id where e.campaign_id = k.id and m.claimed_at > e.ended_at) as late
        from campaigns k where k.id = any(${sql.param(this.#campaigns)}::uuid[])`),
    );
    for (const { leads, taken, most: places, late } of rows) {
      expect([leads, late], `${after}: leads are counted exactly, and nothing is sent after an end`).toEqual([taken, 0]);
      expect(taken, `${after}: places`).toBeLessThanOrEqual(places);
    }
  }

  async #checkLifecycles(after: string): Promise<void> {
    const rows = await own((tx) =>
      tx
        .selectDistinct({ id: contacts.id, lifecycle: contacts.lifecycle })
        .from(contacts)
        .where(sql`exists (select from contact_identities i where i.contact_id = ${contacts.id} and i.value like ${`${this.#run}-%`})`),
    );
    for (const { id, lifecycle } of rows) {
      const before = this.#lifecycles.get(id) ?? 'NEW';
      if (before !== lifecycle) expect(legal[before], `${after}: ${before} to ${lifecycle}`).toContain(lifecycle);
    }
    this.#lifecycles = new Map(rows.map(({ id, lifecycle }) => [id, lifecycle]));
  }
}

test(
  'whatever happens in whatever order: lifecycles are legal, places exact, caps kept, nothing goes out after an end, and nothing twice',
  async () => {
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 8, maxLength: 22 }), fc.integer({ min: 1, max: 4 }), async (commands, maxLeads) => {
        const run = `center-${++runs}`;
        const made: string[] = [];
        for (const n of [1, 2]) {
          const { body } = await api('/api/campaigns', 'POST', {
            name: `${run}-${n}`,
            autoAssign: { sources: [run], maxLeads },
            sequence: 'lead-nurture',
          });
          made.push((body as { id: string }).id);
        }
        const history = new History(run, made);
        for (const [index, given] of commands.entries()) {
          const after = `${index} ${JSON.stringify(given)}`;
          await history.carryOut(given);
          await history.check(after);
          if (index % 5 === 4 || index === commands.length - 1) await history.checkSums(after);
        }
        for (const id of made) await api(`/api/campaigns/${id}`, 'PATCH', { status: 'ENDED' });
      }),
      { numRuns: histories, endOnFailure: true },
    );
  },
  // The machine may be busy with much else.
  180_000 + histories * 60_000,
);
