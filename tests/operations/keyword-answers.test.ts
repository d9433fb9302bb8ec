import fc from 'fast-check';
import { asc, eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { answerLanguages, keywordAnswer } from '../../content/keywords/answers.ts';
import { connections, consents, contactIdentities, keywordAnswers, tasks } from '../../db/schema/index.ts';
import { asksToStop } from '../../domain/people/asks-to-stop.ts';
import { answeredKeywords, answerWithinMs, nextAnswer } from '../../domain/people/keyword-answers.ts';
import { readKeyword } from '../../domain/people/keywords.ts';
import { tenantSettings } from '../../domain/tenant-settings.ts';
import { whatsappConfig } from '../../integrations/whatsapp/config.ts';
import type { Checkpoints } from '../../operations/deps.ts';
import { createConnection } from '../../operations/connections.ts';
import { erasePerson } from '../../operations/erase-person.ts';
import { keywordAnswersPass } from '../../operations/keyword-answers.ts';
import { changeSettings } from '../../operations/settings.ts';
import { aCart, letTimePass, openShop, type Shop } from '../helpers/shop.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { signMeta } from '../integrations/meta/conformance.ts';
import { telecomConfig, telecomDialect } from '../integrations/sms-http/conformance.ts';
import { config as whatsapp, told, whatsappDialect } from '../integrations/whatsapp/conformance.ts';

// STOP, START and HELP are answered by Rekindle where the provider does not do it: once, within five minutes, by the account that the message came by.

const hourMs = 3_600_000;
let shop: Shop;
let gateway: StubProvider;
let meta: StubProvider;
let gatewayId: string;
let metaId: string;
let onClaim: () => Promise<void> = () => Promise.resolve();
beforeAll(async () => {
  gateway = await startStubProvider(false, telecomDialect);
  meta = await startStubProvider(false, whatsappDialect);
  const checkpoints: Checkpoints = (at) => (at === 'keyword_answer.claimed' ? onClaim() : Promise.resolve());
  shop = await openShop({
    timeScale: 1,
    checkpoints,
    settings: { requireConsent: [], storeName: 'Teahouse', supportEmail: 'help@teahouse.example', country: 'AT' },
  });
  gatewayId = await connect('sms-http', telecomConfig(gateway.port));
  metaId = await connect('whatsapp', whatsappConfig.parse({ ...whatsapp, baseUrl: `http://127.0.0.1:${meta.port}` }));
});
afterAll(async () => {
  await shop.close();
  await gateway.stop();
  await meta.stop();
});
beforeEach(() => {
  gateway.accepted.splice(0);
  meta.accepted.splice(0);
  onClaim = () => Promise.resolve();
});

async function connect(integration: string, config: object): Promise<string> {
  const created = await createConnection(shop.deps, shop.tenant.tenantId, { integration, name: integration, config, secrets: [] }, 'a test');
  if (created.kind !== 'created') throw new Error(JSON.stringify(created));
  return created.connection.id;
}

let counter = 0;
const aNumber = () => `+43664${4_000_000 + (counter += 1)}`;
const own = <T>(look: (tx: Parameters<Parameters<Shop['deps']['db']['withTenant']>[1]>[0]) => Promise<T>) =>
  shop.deps.db.withTenant(shop.tenant.tenantId, look);
const answersTo = async (phone: string) => {
  const hash = shop.deps.sealing.addressHash(shop.tenant.tenantId, 'phone', phone);
  const rows = await own((tx) =>
    tx.select().from(keywordAnswers).where(eq(keywordAnswers.addressHash, hash)).orderBy(asc(keywordAnswers.askedAt), asc(keywordAnswers.id)),
  );
  return rows.map(({ keyword, channel, state, address }) => ({ keyword, channel, state, address }));
};
/** As 23Telecom reports what somebody texts. */
async function texts(phone: string, message: string): Promise<void> {
  const query = new URLSearchParams({ token: 'an-invented-token-of-ours', command: 'mo', ani: phone.slice(1), message });
  expect((await shop.app.inject({ url: `/api/webhooks/sms-http/${gatewayId}?${query.toString()}` })).json()).toEqual({ status: 'applied' });
}
async function writes(phone: string, text: string): Promise<void> {
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const payload = told({ messages: [{ from: phone.slice(1), id: `wamid.${phone}.${text}`, timestamp, type: 'text', text: { body: text } }] });
  const headers = { 'content-type': 'application/json', 'x-hub-signature-256': signMeta(whatsapp.appSecret, payload) };
  expect((await shop.app.inject({ method: 'POST', url: `/api/webhooks/whatsapp/${metaId}`, headers, payload })).statusCode).toBe(200);
}
const pass = () => keywordAnswersPass(shop.deps);
/** What went to the gateway: `to text`. */
const texted = () =>
  gateway.accepted.map(({ key }) => {
    const { searchParams } = new URL(key, 'http://gateway.example');
    return `${searchParams.get('dnis') ?? ''} ${searchParams.get('message') ?? ''}`;
  });

test('STOP is confirmed once, HELP is answered, START too, each in words without an offer, and nothing personal stays', async () => {
  const phone = aNumber();
  for (const message of ['Stop!', 'STOP', 'stop all', 'HELP', 'help', 'START']) await texts(phone, message);
  await pass();
  expect(texted()).toEqual([
    `${phone.slice(1)} Teahouse: You will get no more messages from us. Reply START to get them again.`,
    `${phone.slice(1)} Teahouse: We write about what you left with us or asked us for. Questions: help@teahouse.example. Reply STOP to end it.`,
    `${phone.slice(1)} Teahouse: You will get our messages again. Reply STOP to end them.`,
  ]);
  expect(await answersTo(phone)).toEqual(['stop', 'help', 'start'].map((keyword) => ({ keyword, channel: 'sms', state: 'sent', address: null })));
  await pass();
  expect(texted()).toHaveLength(3);
});

test('by WhatsApp it goes out as free text, in the language of the person', async () => {
  const phone = aNumber();
  await shop.post(
    'cart.updated',
    { ...aCart('keyword-cart', null), contact: { phone, email: 'keyword-cart@example.com', locale: 'de-AT' } },
    { at: Date.now() - 3 * hourMs },
  );
  await writes(phone, 'STOPP');
  await pass();
  expect(meta.accepted.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
    expect.objectContaining({
      to: phone.slice(1),
      type: 'text',
      text: { preview_url: false, body: 'Teahouse: Sie erhalten keine Nachrichten mehr von uns. Mit START erhalten Sie wieder welche.' },
    }),
  ]);
  expect((await shop.enrollmentOf('keyword-cart'))?.stopReason).toBe('opted_out');
});

test('what other providers answer themselves, other words, and a store that does not want it, are left alone', async () => {
  const phone = aNumber();
  await shop.post('message.received', { contact: { phone }, channel: 'sms', text: 'STOP' });
  await texts(phone, 'Is it still there?');
  const { current } = await changeSettings(shop.deps, shop.tenant.tenantId, {
    changes: { keywordAnswers: false },
    expectedVersion: null,
    by: 'a test',
  });
  expect(current.settings.keywordAnswers).toBe(false);
  await texts(phone, 'HELP');
  await changeSettings(shop.deps, shop.tenant.tenantId, { changes: { keywordAnswers: true }, expectedVersion: null, by: 'a test' });
  await pass();
  expect(await answersTo(phone)).toEqual([]);
});

test('of many processes one sends it', async () => {
  const phones = Array.from({ length: 6 }, aNumber);
  for (const phone of phones) await texts(phone, 'STOP');
  await Promise.all(Array.from({ length: 5 }, pass));
  await pass();
  expect(new Set(texted().map((line) => line.split(' ')[0]))).toEqual(new Set(phones.map((phone) => phone.slice(1))));
  expect(texted()).toHaveLength(phones.length);
});

test('what was certainly not taken is tried again, what may have arrived is not, and what is refused for good is over', async () => {
  const [later, lost, refused] = [aNumber(), aNumber(), aNumber()];
  gateway.next({ act: 'answer', status: 429 });
  await texts(later, 'HELP');
  await pass();
  expect(await answersTo(later)).toMatchObject([{ state: 'waiting', address: later }]);
  await own((tx) =>
    tx
      .update(keywordAnswers)
      .set({ nextAt: Date.now() - 1_000 })
      .where(eq(keywordAnswers.state, 'waiting')),
  );
  await pass();
  expect(await answersTo(later)).toMatchObject([{ state: 'sent' }]);

  gateway.next({ act: 'close', take: true });
  await texts(lost, 'STOP');
  await pass();
  expect(await answersTo(lost)).toMatchObject([{ state: 'unknown', address: null }]);

  gateway.next({ act: 'answer', status: 422 });
  await texts(refused, 'STOP');
  await pass();
  expect(await answersTo(refused)).toMatchObject([{ state: 'refused', address: null }]);
  await pass();
  expect(texted()).toHaveLength(2);
});

test('a process that dies after the claim leaves it unanswered, and nobody answers it again', async () => {
  const phone = aNumber();
  await texts(phone, 'STOP');
  onClaim = () => Promise.reject(new Error('the process ends here'));
  await pass();
  onClaim = () => Promise.resolve();
  await pass();
  expect(await answersTo(phone)).toMatchObject([{ state: 'claimed' }]);
  await own((tx) =>
    tx
      .update(keywordAnswers)
      .set({ nextAt: Date.now() - 1_000 })
      .where(eq(keywordAnswers.state, 'claimed')),
  );
  await pass();
  expect(await answersTo(phone)).toMatchObject([{ state: 'unknown', address: null }]);
  expect(texted()).toEqual([]);
});

test('five minutes later a confirmation is none any more', async () => {
  const phone = aNumber();
  await texts(phone, 'STOP');
  await letTimePass(shop, answerWithinMs);
  await pass();
  expect(await answersTo(phone)).toMatchObject([{ state: 'too_late', address: null }]);
  expect(texted()).toEqual([]);
});

test('without its connection, and once the person is erased, nobody is answered', async () => {
  const [alone, erased] = [aNumber(), aNumber()];
  await shop.post('cart.updated', { ...aCart('keyword-erased', null), contact: { phone: erased } }, { at: Date.now() - 3 * hourMs });
  await texts(erased, 'HELP');
  const [who] = await own((tx) => tx.select().from(contactIdentities).where(eq(contactIdentities.value, erased)));
  const whom = { tenantId: shop.tenant.tenantId, contactId: who?.contactId ?? '', actor: 'a test' };
  expect(await erasePerson(shop.deps, whom)).toMatchObject({ kind: 'erased' });
  expect(await answersTo(erased)).toMatchObject([{ state: 'too_late', address: null }]);
  await texts(alone, 'STOP');
  await own((tx) => tx.update(connections).set({ state: 'disconnected' }).where(eq(connections.id, gatewayId)));
  await pass();
  await own((tx) => tx.update(connections).set({ state: 'connected' }).where(eq(connections.id, gatewayId)));
  expect(await answersTo(alone)).toMatchObject([{ state: 'not_connected', address: null }]);
  expect(texted()).toEqual([]);
});

test('an opt-out in a sentence counts at once, is confirmed, keeps its wording, and is a task while something runs', async () => {
  const phone = aNumber();
  await shop.post(
    'cart.updated',
    { ...aCart('keyword-words', null), contact: { phone, email: 'keyword-words@example.com' } },
    { at: Date.now() - 3 * hourMs },
  );
  const said = 'I bought it elsewhere, please don’t text me again';
  await texts(phone, said);
  expect((await shop.enrollmentOf('keyword-words'))?.stopReason).toBe('opted_out');
  await pass();
  expect(await answersTo(phone)).toMatchObject([{ keyword: 'stop', state: 'sent' }]);
  const stated = await own((tx) => tx.select().from(consents).where(eq(consents.wording, said)));
  expect(stated).toMatchObject([{ state: 'denied', basis: 'person', source: 'reply' }]);
  const open = await own((tx) => tx.select().from(tasks).where(eq(tasks.kind, 'opt_out_in_words')));
  expect(open).toMatchObject([{ state: 'open', data: { channel: 'sms', note: said } }]);
});

describe('the answers', () => {
  test.each(answerLanguages)('in %s name the store and what ends or begins it, and are no opt-out themselves', (language) => {
    const settings = tenantSettings.parse({ storeName: 'Teahouse', supportEmail: 'help@teahouse.example' });
    for (const keyword of answeredKeywords) {
      const text = keywordAnswer(keyword, [language], settings);
      expect(text).toMatch(/^Teahouse/);
      expect(text).toContain(keyword === 'stop' ? 'START' : 'STOP');
      if (keyword === 'help') expect(text).toContain('help@teahouse.example');
      // Two stores that write to each other end there.
      expect(readKeyword(text)).toBeNull();
      expect(asksToStop(text)).toBe(false);
    }
  });

  test('are tried again for five minutes at most, and never once they may have arrived', () => {
    const outcomes = fc.constantFrom('accepted' as const, 'unknown' as const, 'soft' as const, 'hard' as const, 'not_opened' as const);
    fc.assert(
      fc.property(outcomes, fc.integer({ min: 1, max: 20 }), fc.nat({ max: 2 * answerWithinMs }), (outcome, attempts, afterMs) => {
        const next = nextAnswer(outcome, attempts, 0, afterMs);
        if (next.state === 'waiting') {
          expect(['soft', 'not_opened']).toContain(outcome);
          expect(next.atMs).toBeGreaterThan(afterMs);
          expect(next.atMs).toBeLessThan(answerWithinMs);
        } else if (outcome === 'soft' || outcome === 'not_opened') expect(next.state).toBe('too_late');
      }),
    );
  });
});
