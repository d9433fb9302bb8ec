import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { contacts, enrollments, messages, sequenceVersions } from '../../db/schema/index.ts';
import type { Lifecycle } from '../../domain/people/lifecycle.ts';
import { routingPass } from '../../operations/campaigns/route-leads.ts';
import { ensureConnection } from '../../operations/connections.ts';
import { ask, dispatch, type Method } from '../api/left-carts.ts';
import { letTimePass, openShop, type Shop } from '../helpers/shop.ts';
import { type Providers, type StoreChannel, waysToConnect } from './center-stores.ts';

// The whole center in any order: leads, repeats, conversions and their reversals, pauses and ends of campaigns, opt-outs, replies, what Resend, Instantly,
// Twilio, an SMS gateway and VAPI report about their messages, in any order and twice, and the time that passes between them. Each history is played in one
// of two stores, by the providers that they have. More histories than `npm test` has: CENTER_HISTORIES=200 npx vitest run tests/operations/center-histories.test.ts

const histories = Number(process.env['CENTER_HISTORIES'] ?? 6);
const hourMs = 3_600_000;
const most = 2;
const withinHours = 72;

interface Store {
  shop: Shop;
  providers: Providers;
  /** Where its tracker reports. */
  tracker: string;
}
const stores: Store[] = [];
beforeAll(async () => {
  for (const connect of waysToConnect) {
    const settings = { requireConsent: [], smsSender: '+12025550100', caps: [{ channel: null, most, withinHours }] };
    const shop = await openShop({ timeScale: 1, settings });
    const request = { integration: 'keitaro', name: 'Tracker', config: { currency: 'USD' }, secrets: ['an-invented-token'] };
    const { path } = await ensureConnection(shop.deps, shop.tenant.tenantId, request, 'a test');
    stores.push({ shop, providers: await connect(shop), tracker: path });
  }
});
afterAll(async () => {
  for (const { shop, providers } of stores) {
    await shop.close();
    for (const provider of Object.values(providers)) await provider.stop();
  }
});

const people = 4;
type Command =
  | { does: 'lead' | 'sale' | 'rebill' | 'reject' | 'opt_out' | 'reply'; who: number; again: number }
  /** The provider of a channel reports something; which of its reports it is, by a number. */
  | { does: 'report'; who: number; channel: StoreChannel; which: number; twice: boolean }
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
    weight: 6,
    arbitrary: fc.record({
      does: fc.constant('report' as const),
      who: fc.nat(people - 1),
      channel: fc.constantFrom('email' as const, 'email' as const, 'sms' as const, 'sms' as const, 'call' as const),
      which: fc.nat(41),
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
  readonly #store: Store;
  readonly #run: string;
  readonly #campaigns: string[];
  /** How many messages of theirs there may ever be: they have bought, were refused, or want none. */
  readonly #final = new Map<number, number>();
  /** How many messages of theirs there may ever be on a channel, by `who channel`: they want none there, or it reaches nobody. */
  readonly #closed = new Map<string, number>();
  /** What the tracker has reported about the click of each, `status tid`, in the order of its arrival and each once. */
  readonly #reported = new Map<number, string[]>();
  /** What was reported about each message, in the order of its arrival and each report once. */
  readonly #told = new Map<string, { channel: StoreChannel; reports: string[] }>();
  #lifecycles = new Map<string, Lifecycle>();

  constructor(store: Store, run: string, campaigns: string[]) {
    this.#store = store;
    this.#run = run;
    this.#campaigns = campaigns;
  }

  #own = <T>(look: (tx: Parameters<Parameters<Shop['deps']['db']['withTenant']>[1]>[0]) => Promise<T>) =>
    this.#store.shop.deps.db.withTenant(this.#store.shop.tenant.tenantId, look);
  #api = (path: string, method: Method = 'GET', body?: Record<string, unknown>) =>
    ask(this.#store.shop, this.#store.shop.tenant.apiKey, path, method, body);

  email = (who: number) => `${this.#run}-${who}@example.com`;
  phone = (who: number) => `+1202${String(5_560_000 + Number(this.#run.split('-')[1]) * 10 + who)}`;

  async carryOut(given: Command): Promise<void> {
    switch (given.does) {
      case 'lead': {
        const { who, again } = given;
        const contact = { email: this.email(who), phone: this.phone(who), first_name: 'Ada', time_zone: 'Europe/Vienna' };
        await this.#store.shop.post('lead.created', {
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
        expect((await this.#store.shop.app.inject({ method: 'GET', url: `${this.#store.tracker}?${query}` })).statusCode).toBe(200);
        // A refusal of a transaction that nobody has reported says nothing about the lead.
        if (does !== 'reject') await this.#isFinal(who);
        return;
      }
      case 'report':
        return this.#report(given.who, given.channel, given.which, given.twice ? 2 : 1);
      case 'opt_out':
        await this.#store.shop.post('contact.opted_out', { contact: { email: this.email(given.who), phone: this.phone(given.who) }, channel: 'all' });
        return this.#isFinal(given.who);
      case 'reply':
        await this.#store.shop.post('message.received', {
          contact: { email: this.email(given.who) },
          channel: 'email',
          text: 'I have a question about it.',
        });
        return;
      case 'pause':
      case 'resume':
      case 'end': {
        const status = { pause: 'PAUSED', resume: 'ACTIVE', end: 'ENDED' }[given.does];
        await this.#api(`/api/campaigns/${this.#campaigns[given.campaign] ?? ''}`, 'PATCH', { status });
        return;
      }
      case 'work':
        return this.#work();
      case 'pass':
        await letTimePass(this.#store.shop, given.hours * hourMs);
    }
  }

  /** A provider reports something about somebody's latest message, or about one that nobody knows, which means nothing. */
  async #report(who: number, channel: StoreChannel, which: number, times: number): Promise<void> {
    const { shop, providers } = this.#store;
    const all = Object.entries(providers[channel].reports);
    const [name, report] = all[which % all.length] ?? [];
    if (name === undefined || report === undefined) throw new Error(`nothing is reported by ${channel}`);
    const latest = (await this.#sentTo(who)).findLast((one) => one.channel === channel);
    const to = channel === 'email' ? this.email(who) : this.phone(who);
    const of = latest ?? { key: `${randomUUID()}:nothing`, providerId: `of-nobody-${this.#run}` };
    for (let n = 0; n < times; n += 1) {
      const { url, headers, payload } = report.deliver({ ...of, to });
      const answer = await shop.app.inject({ method: 'POST', url, headers, payload });
      expect(answer.statusCode, `${channel} ${name}: ${answer.body}`).toBe(200);
    }
    if (latest !== undefined && report.about === 'message') {
      const told = this.#told.get(latest.id) ?? { channel, reports: [] };
      // Of one kind a provider makes one delivery about each message: another is taken for its repeat.
      if (told.reports.some((one) => kindOf(providers[channel].reports, one) === kindOf(providers[channel].reports, name))) return;
      this.#told.set(latest.id, { channel, reports: [...told.reports, name] });
    }
    if (report.about === 'message' && latest === undefined) return;
    if (report.closes === 'person') await this.#isFinal(who);
    const closed = `${who} ${channel}`;
    if (report.closes === 'channel' && !this.#closed.has(closed)) this.#closed.set(closed, await this.#sentBy(who, channel));
  }

  #sentBy = async (who: number, channel: StoreChannel) => (await this.#sentTo(who)).filter((one) => one.channel === channel).length;

  async #isFinal(who: number): Promise<void> {
    if (!this.#final.has(who)) this.#final.set(who, (await this.#sentTo(who)).length);
  }

  /** As the workers do: route, then dispatch what stands next, each twice at once. */
  async #work(): Promise<void> {
    while (await routingPass(this.#store.shop.deps));
    const silent = await this.#silent();
    const open = await this.#own((tx) =>
      tx
        .select({ id: enrollments.id, definition: sequenceVersions.definition })
        .from(enrollments)
        .innerJoin(sequenceVersions, eq(sequenceVersions.id, enrollments.versionId))
        .where(sql`${enrollments.endedAt} is null and ${enrollments.campaignId} = any(${sql.param(this.#campaigns)}::uuid[])`),
    );
    for (const { id, definition } of open) {
      const settled = new Set(
        (await this.#store.shop.ledgerOf(id)).filter(({ state }) => state !== 'claimed' && state !== 'failed').map(({ stepId }) => stepId),
      );
      const next = definition.steps.find((step) => step.on === undefined && !settled.has(step.id));
      if (next !== undefined) await Promise.all([1, 2].map(() => dispatch(this.#store.shop, id, next.id)));
    }
    expect(await this.#silent(), 'campaigns that are paused or have ended send nothing').toEqual({ ...(await this.#silent()), ...silent });
  }

  /** What went out in campaigns that are not active. */
  async #silent(): Promise<Record<string, number>> {
    const { rows } = await this.#own((tx) =>
      tx.execute<{ id: string; n: number }>(sql`
        select k.id, count(m.id)::int as n from campaigns k left join enrollments e on e.campaign_id = k.id
          left join messages m on m.enrollment_id = e.id and m.state in ('sent', 'unknown', 'claimed')
        where k.id = any(${sql.param(this.#campaigns)}::uuid[]) and k.status <> 'ACTIVE' group by 1`),
    );
    return Object.fromEntries(rows.map(({ id, n }) => [id, n]));
  }

  #sentTo(who: number) {
    return this.#own((tx) =>
      tx
        .select({
          id: messages.id,
          key: sql<string>`${messages.enrollmentId} || ':' || ${messages.stepId}`,
          providerId: sql<string>`coalesce(${messages.providerMessageId}, '')`,
          channel: messages.channel,
          at: sql<number>`extract(epoch from coalesce(settled_at, claimed_at)) * 1000`,
        })
        .from(messages)
        .where(
          sql`${messages.state} in ('sent', 'unknown', 'claimed') and coalesce(${messages.payload} -> 'to' ->> 'address', ${messages.payload} ->> 'to') in (${this.email(who)}, ${this.phone(who)})`,
        )
        .orderBy(sql`5`),
    );
  }

  async check(after: string): Promise<void> {
    for (let who = 0; who < people; who += 1) {
      const sent = await this.#sentTo(who);
      const final = this.#final.get(who);
      if (final !== undefined) expect(sent.length, `${after}: nothing after the end of ${who}`).toBeLessThanOrEqual(final);
      for (const channel of ['email', 'sms', 'call'] as const) {
        const count = sent.filter((one) => one.channel === channel).length;
        const took = this.#store.providers[channel].tookFor(channel === 'email' ? this.email(who) : this.phone(who));
        expect(took, `${after}: each ${channel} once`).toBe(count);
        expect(took, `${after}: nothing goes to whoever closed ${channel}`).toBeLessThanOrEqual(this.#closed.get(`${who} ${channel}`) ?? took);
      }
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
    const { rows } = await this.#own((tx) =>
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

  /** A call counts by the first report of how it ended; a message has failed where that was reported, and never that it arrived. */
  async #checkAttempts(after: string): Promise<void> {
    for (const [id, { channel, reports }] of this.#told) {
      const known = reports
        .flatMap((name) => this.#store.providers[channel].reports[name] ?? [])
        .filter(({ proves, fails }) => proves === true || fails === true);
      const [first] = known;
      const failed = channel === 'call' ? first?.fails === true : known.length > 0 && known.every(({ fails }) => fails === true);
      const attempt = (await this.#api(`/api/attempts/${id}`)).body;
      expect(attempt, `${after}: ${channel} after ${reports.join(', ')}`).toMatchObject(
        // Why is what was reported, not that the provider had taken it.
        failed ? { status: 'FAILED', notes: expect.not.stringMatching(/^(?:HTTP )?20\d/) } : { status: 'SUCCESS' },
      );
    }
  }

  async #checkCampaigns(after: string): Promise<void> {
    const { rows } = await this.#own((tx) =>
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
    const rows = await this.#own((tx) =>
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

/** Reports that a provider delivers as one. */
const kindOf = (reports: Providers[StoreChannel]['reports'], name: string) => reports[name]?.kind ?? name;

test(
  'whatever happens in whatever order: lifecycles are legal, places exact, caps kept, nothing goes out after an end, and nothing twice',
  async () => {
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 8, maxLength: 22 }), fc.integer({ min: 1, max: 4 }), async (commands, maxLeads) => {
        const run = `center-${++runs}`;
        const made: string[] = [];
        const store = stores[runs % stores.length];
        if (store === undefined) throw new Error('there is no store');
        const api = (path: string, method: Method, body: Record<string, unknown>) => ask(store.shop, store.shop.tenant.apiKey, path, method, body);
        for (const n of [1, 2]) {
          const { body } = await api('/api/campaigns', 'POST', {
            name: `${run}-${n}`,
            autoAssign: { sources: [run], maxLeads },
            sequence: 'lead-nurture',
          });
          made.push((body as { id: string }).id);
        }
        const history = new History(store, run, made);
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
