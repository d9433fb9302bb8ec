import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NoAnswerError } from '../../integrations/http/ask.ts';
import { instantlyReceiver } from '../../integrations/instantly/receive.ts';
import { createInstantlySender } from '../../integrations/instantly/send.ts';
import { posted } from '../helpers/a-delivery.ts';
import { aStore } from '../helpers/a-store.ts';
import { faultsBy, providerSpec } from '../helpers/provider-spec.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { aMail } from './a-mail.ts';
import { campaign, instantlyDialect, leadId, sendKey, testConfig, told } from './instantly/conformance.ts';
import { deadlineIn } from './sender-conformance.ts';

let provider: StubProvider;
let answer: Record<string, unknown> | null;
let listed: Record<string, unknown> | null;
beforeEach(async () => {
  answer = null;
  listed = null;
  provider = await startStubProvider(false, {
    ...instantlyDialect,
    bodyOf: (status) => answer ?? instantlyDialect.bodyOf(status),
    tell: (accepted, request) => listed ?? instantlyDialect.tell(accepted, request),
  });
});
afterEach(() => provider.stop());

async function send(payload = aMail(), more: object = {}) {
  const session = await createInstantlySender(testConfig(provider.port, more)).open();
  return session.send(payload, sendKey, deadlineIn(5_000));
}
const sent = (): Record<string, unknown> => JSON.parse(provider.accepted.at(-1)?.body ?? '{}') as Record<string, unknown>;
const spec = providerSpec('instantly/openapi-v2-excerpt.json');

describe('an email', () => {
  test('makes its person a lead of the campaign, with subject and body as variables', async () => {
    expect(await send()).toEqual({ kind: 'accepted', providerMessageId: leadId, response: 'HTTP 200' });
    expect(sent()).toEqual({
      campaign,
      email: 'ada@example.com',
      first_name: 'Ada Example',
      skip_if_in_campaign: true,
      custom_variables: {
        rk_subject: aMail().subject,
        rk_body: aMail().html,
        rk_text: aMail().text,
        rk_unsubscribe: 'https://shop.example.com/u/token',
        rk_account: 'main',
        rk_attempt: sendKey,
      },
    });
  });

  test('goes to the campaign of its step, where it has one', async () => {
    const own = '019ffad2-53a3-7590-935f-b48cddbf2d9f';
    await send(aMail(), { steps: { email_2h: own, another: campaign } });
    expect(sent()['campaign']).toBe(own);
  });

  test.skipIf(spec === null)('is a request as the provider’s own specification has it', async () => {
    await send();
    const body = '/paths/~1api~1v2~1leads/post/requestBody/content/application~1json/schema';
    expect(faultsBy(spec, body, sent())).toEqual([]);
    expect(faultsBy(spec, body, { campaign_id: campaign, email: 'ada@example.com' })).not.toEqual([]);
    const question = '/paths/~1api~1v2~1leads~1list/post/requestBody/content/application~1json/schema';
    expect(faultsBy(spec, question, { campaign, contacts: ['ada@example.com'], limit: 10 })).toEqual([]);
  });

  test.for([
    [200, { id: leadId, payload: { rk_attempt: 'another:email_2h' } }, { kind: 'refused', severity: 'soft' }],
    [200, { id: leadId }, { kind: 'unknown' }],
    [200, { page: 'welcome' }, { kind: 'unknown' }],
    [400, { message: 'body/email must match format "email"' }, { kind: 'refused', severity: 'hard' }],
    [400, { message: 'body must NOT have additional properties' }, { kind: 'refused', severity: 'soft' }],
    [401, { message: 'Invalid API key' }, { kind: 'refused', severity: 'soft' }],
    [402, { message: 'no plan' }, { kind: 'refused', severity: 'soft', outage: true }],
    [429, {}, { kind: 'refused', severity: 'soft' }],
    [500, {}, { kind: 'unknown' }],
  ] as const)('HTTP %i with %j is judged by what it proves', async ([status, body, outcome]) => {
    answer = body;
    provider.nextOnly({ act: 'answer', status });
    expect(await send()).toMatchObject(outcome);
  });

  test('in doubt is found by the lead’s variables; a list with another page, or without variables, is no answer', async () => {
    const { reconciliation } = createInstantlySender(testConfig(provider.port));
    if (reconciliation.kind !== 'find') throw new Error('cannot ask');
    const find = () => reconciliation.find(sendKey, aMail());
    expect(await find()).toBe('not_accepted');
    listed = { items: [{ id: '1', payload: { rk_attempt: sendKey } }] };
    expect(await find()).toBe('accepted');
    listed = { items: [{ id: '1', payload: { rk_attempt: 'another' } }] };
    expect(await find()).toBe('not_accepted');
    for (const unclear of [{ items: [], next_starting_after: 'x' }, { items: [{ id: '1' }] }, {}]) {
      listed = unclear;
      await expect(find()).rejects.toThrow(NoAnswerError);
    }
  });
});

describe('an event', () => {
  const read = (raw: Buffer) => {
    const found = instantlyReceiver.reread(posted({ raw, headers: {}, receivedAtMs: Date.parse('2026-11-01T10:00:05Z') }), aStore);
    return found.kind === 'events' ? found.events : found.kind;
  };
  const message = { account: 'instantly:main', sendKey };

  test('tells what became of the message by its own key; a bounce of unknown kind closes nothing', () => {
    expect(read(told('email_sent', { email_id: 'em_1' }))).toMatchObject([{ type: 'message.delivered', message }]);
    expect(read(told('email_bounced'))).toMatchObject([{ type: 'message.failed', message, permanent: false }]);
    expect(read(told('email_sent', { rk_attempt: undefined }))).toBe('ignored');
  });

  test('is let in by its token in either header', () => {
    const given = (headers: Record<string, string>) =>
      instantlyReceiver.receive(
        posted({ raw: told('email_bounced'), headers, receivedAtMs: Date.parse('2026-11-01T10:00:05Z') }),
        ['a-token'],
        aStore,
      );
    expect(given({ authorization: 'Bearer a-token' }).kind).toBe('events');
    expect(given({ 'x-rekindle-token': 'a-token' }).kind).toBe('events');
    for (const authorization of ['Bearer another', 'Bearer', 'a-token', '']) expect(given({ authorization }).kind).toBe('refused');
  });

  test('of a reply is the person’s; an automatic one says so, by its type or its text', () => {
    expect(read(told('reply_received', { reply_subject: 'Re: tea', reply_text: 'Yes please' }))).toMatchObject([
      { type: 'message.received', person: { email: 'ada@example.com' }, channel: 'email', text: 'Yes please', automatic: null },
    ]);
    expect(read(told('auto_reply_received', { reply_text: 'Back on Monday' }))).toMatchObject([{ automatic: 'header' }]);
    expect(read(told('reply_received', { reply_text: 'This is an automatic reply. I am away.' }))).toMatchObject([{ automatic: 'text' }]);
    expect(read(told('reply_received', { rk_attempt: undefined, reply_text: 'hi' }))).toMatchObject([{ type: 'message.received' }]);
  });

  test('of an unsubscribe is an opt-out, and one that names nobody goes to the quarantine', () => {
    expect(read(told('lead_unsubscribed'))).toMatchObject([{ type: 'contact.opted_out', channel: 'email', final: false }]);
    expect(read(told('lead_unsubscribed', { lead_email: undefined }))).toBe('unreadable');
  });

  test('of what nobody acts on is ignored: our own opens and clicks, a store’s labels, a test', () => {
    for (const type of ['email_opened', 'link_clicked', 'email_link_clicked', 'lead_interested', 'Call me later', 'account_error', 'test_event'])
      expect(read(told(type))).toBe('ignored');
  });
});
