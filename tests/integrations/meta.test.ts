import { describe, expect, test } from 'vitest';
import type { Delivery, Normalised } from '../../integrations/port.ts';
import { metaReceiver } from '../../integrations/meta/receive.ts';
import { aStore } from '../helpers/a-store.ts';
import { posted } from '../helpers/a-delivery.ts';
import { providerSpec } from '../helpers/provider-spec.ts';
import { leadgen, signMeta } from './meta/conformance.ts';

const config = {
  appSecret: 'an-app-secret',
  verifyToken: 'verify-me',
  pageAccessToken: 'a-token',
  fields: { 'Wie heißt du?': 'firstName' },
  consents: { sms_opt_in: 'sms', 'May we call you?': 'call' },
};
const store = { ...aStore, config };
const receivedAtMs = Date.UTC(2026, 10, 24, 12);

function read(raw: Buffer): Normalised {
  return metaReceiver.reread(posted({ raw, headers: {}, receivedAtMs }), store);
}

function leadIn(raw: Buffer) {
  const normalised = read(raw);
  const event = normalised.kind === 'events' ? normalised.events[0] : undefined;
  if (event?.type !== 'lead.created') throw new Error(`no lead: ${JSON.stringify(normalised)}`);
  return event;
}

const asked = (query: string): Delivery => ({
  method: 'GET',
  url: `https://rekindle.example/api/webhooks/meta?${query}`,
  raw: Buffer.alloc(0),
  headers: {},
  receivedAtMs,
});

describe('the handshake', () => {
  const question = 'hub.mode=subscribe&hub.challenge=1158201444';

  test('whoever names the token gets the challenge back as text', () => {
    expect(metaReceiver.receive(asked(`${question}&hub.verify_token=verify-me`), ['x'], store)).toEqual({
      kind: 'answer',
      status: 200,
      body: { contentType: 'text/plain; charset=utf-8', body: '1158201444' },
    });
  });

  test.for([
    ['another token', `${question}&hub.verify_token=guess`, store],
    ['no token', question, store],
    ['another mode', 'hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=verify-me', store],
    ['no challenge', 'hub.mode=subscribe&hub.verify_token=verify-me', store],
    ['a connection without a configuration', `${question}&hub.verify_token=`, aStore],
  ] as const)('%s is refused', ([, query, about]) => {
    expect(metaReceiver.receive(asked(query), ['x'], about)).toEqual({ kind: 'answer', status: 403 });
  });
});

describe('what is in a notification', () => {
  test('what they asked about is read as such, and other answers are not', () => {
    const answers = { email: 'ada@example.com', Interest: 'a flat', district: 'Döbling', preferences: 'three rooms', how_did_you_hear: 'a friend' };
    expect(leadIn(leadgen({ leadgen_id: '5', ...answers })).lead).toMatchObject({
      ...{ interest: 'a flat', area: 'Döbling', preferences: 'three rooms' },
      attributes: { how_did_you_hear: 'a friend' },
    });
  });

  test('an id alone is looked up, whether it comes as text or as a number beyond 2^53', () => {
    const text = leadgen({ leadgen_id: '900000000000000001', form_id: '200000000000001' });
    const number = Buffer.from(text.toString().replace('"900000000000000001"', '900000000000000001'));
    for (const raw of [text, number]) {
      expect(read(raw)).toMatchObject({
        events: [],
        notes: [],
        lookups: [{ key: 'leadgen:900000000000000001', what: { leadgen_id: '900000000000000001' } }],
      });
    }
  });

  test('several entries and changes of one delivery all count, and other fields are passed over', () => {
    const change = (field: string, value: object) => ({ field, value });
    const entry = [
      { id: '1', changes: [change('leadgen', { leadgen_id: '11' }), change('leadgen', { leadgen_id: '12', email: 'ada@example.com' })] },
      { id: '2', changes: [change('feed', { item: 'post' }), change('leadgen', { leadgen_id: '13' })] },
    ];
    expect(read(Buffer.from(JSON.stringify({ object: 'page', entry })))).toMatchObject({
      events: [{ type: 'lead.created', keys: [{ kind: 'lead', value: '12' }] }],
      lookups: [{ key: 'leadgen:11' }, { key: 'leadgen:13' }],
    });
  });

  test('the same leads in another order are the same delivery', () => {
    const keyOf = (raw: Buffer) => {
      const received = metaReceiver.receive(posted({ raw, headers: { 'x-hub-signature-256': signMeta('s', raw) }, receivedAtMs }), ['s'], store);
      return 'dedupeKey' in received ? received.dedupeKey : null;
    };
    expect(keyOf(leadgen({ leadgen_id: '12' }, { leadgen_id: '11' }))).toBe(keyOf(leadgen({ leadgen_id: '11' }, { leadgen_id: '12' })));
    expect(keyOf(leadgen({ leadgen_id: '11' }))).not.toBe(keyOf(leadgen({ leadgen_id: '12' })));
  });

  test('the flat shape and the list say the same', () => {
    const answers = {
      firstName: 'Ana',
      lastName: 'Example',
      email: 'Ana@Example.com',
      phone: '0664 1234567',
      sub_id: 's-1',
      click_id: 'c-77',
      city: 'Wien',
    };
    const flat = leadIn(leadgen({ leadgen_id: '4', ...answers }));
    const listed = leadIn(leadgen({ leadgen_id: '4', field_data: Object.entries(answers).map(([name, value]) => ({ name, values: [value] })) }));
    expect(flat).toEqual(listed);
    expect(flat).toMatchObject({
      keys: [{ kind: 'lead', value: '4' }],
      person: { firstName: 'Ana', lastName: 'Example', email: 'ana@example.com', phone: '+436641234567' },
      lead: { source: 'META', subId: 's-1', clickId: 'c-77', attributes: { city: 'Wien' } },
    });
  });

  test('what Meta’s testing tool fills in is nobody’s name or number', () => {
    const dummy = (name: string) => ({ name, values: [`<test lead: dummy data for ${name}>`] });
    const read = leadIn(
      leadgen({
        leadgen_id: '5',
        field_data: [{ name: 'email', values: ['test@fb.com'] }, dummy('full_name'), dummy('phone_number'), dummy('city')],
      }),
    );
    expect(read).toMatchObject({ person: { email: 'test@fb.com', phone: null, firstName: null, lastName: null } });
    expect(read.lead).not.toHaveProperty('attributes');
  });

  test.for([
    ['Vorname', 'firstName', 'Ada'],
    ['NACHNAME', 'lastName', 'Ada'],
    ['Prénom', 'firstName', 'Ada'],
    ['имя', 'firstName', 'Ada'],
    ['work_email', 'email', 'ada@example.com'],
    ['E-Mail-Adresse', 'email', 'ada@example.com'],
    ['correo electrónico', 'email', 'ada@example.com'],
    ['メールアドレス', 'email', 'ada@example.com'],
    ['이메일 주소', 'email', 'ada@example.com'],
    ['Ηλεκτρονική διεύθυνση', 'email', 'ada@example.com'],
    ['ADI SOYADI', 'firstName', 'Ada'],
    ['Adı Soyadı', 'firstName', 'Ada'],
    ['Họ và tên', 'firstName', 'Ada'],
    ['姓', 'lastName', 'Ada'],
    ['שם פרטי', 'firstName', 'Ada'],
    ['Wie heißt du?', 'firstName', 'Ada'],
  ] as const)('the question "%s" asks for %s', ([name, field, value]) => {
    expect(
      leadIn(
        leadgen({
          leadgen_id: '4',
          field_data: [
            { name, values: [value] },
            { name: 'phone_number', values: ['+436641234567'] },
          ],
        }),
      ).person[field],
    ).toBe(value);
  });

  test('a full name is divided, and names of their own come first', () => {
    const person = (answers: object) => leadIn(leadgen({ leadgen_id: '4', email: 'ada@example.com', ...answers })).person;
    expect(person({ full_name: 'Ada  King Lovelace' })).toMatchObject({ firstName: 'Ada', lastName: 'King Lovelace' });
    expect(person({ full_name: 'Ada King', last_name: 'Lovelace' })).toMatchObject({ firstName: 'Ada', lastName: 'Lovelace' });
  });

  test('a ticked box and an answered question are consents for the channel that the connection says; one that is not ticked says nothing', () => {
    const consents = (checked: string, answer: string) => {
      const custom_disclaimer_responses = [
        { checkbox_key: 'sms_opt_in', is_checked: checked },
        { checkbox_key: 'terms', is_checked: '1' },
      ];
      const { person, lead } = leadIn(leadgen({ leadgen_id: '4', email: 'ada@example.com', 'may we call you': answer, custom_disclaimer_responses }));
      expect(lead.attributes ?? {}).toEqual({});
      return person.consents.map(({ channel, state, basis }) => `${channel} ${state} ${basis}`);
    };
    expect(consents('1', 'Ja')).toEqual(['sms granted box', 'call granted box']);
    expect(consents('', 'no')).toEqual([]);
    expect(consents('1', 'only in the evening')).toEqual(['sms granted box']);
  });

  test('neither an id nor an address is unreadable, and no body of another shape is more', () => {
    for (const body of [
      { object: 'page', entry: [{ changes: 'x' }] },
      {},
      [],
      { entry: [{ changes: [{ field: 'leadgen', value: { leadgen_id: '../me' } }] }] },
    ]) {
      expect(read(Buffer.from(JSON.stringify(body)))).toMatchObject({ kind: 'unreadable' });
    }
  });
});

const vectors = providerSpec('meta-lead-ads/vectors.json') as { appSecret: string; vectors: Vector[] } | null;
const samples = providerSpec('meta-lead-ads/samples.json') as { webhooks: Record<string, unknown> } | null;

interface Vector {
  name: string;
  body: string;
  header: Record<string, string>;
  valid: boolean;
}

describe('the published samples', () => {
  test.skipIf(vectors === null)('the signatures of the vectors', () => {
    for (const { name, body, header, valid } of vectors?.vectors ?? []) {
      const headers = Object.fromEntries(Object.entries(header).map(([key, value]) => [key.toLowerCase(), value]));
      const received = metaReceiver.receive(posted({ raw: Buffer.from(body), headers, receivedAtMs }), [vectors?.appSecret ?? ''], store);
      expect({ name, authentic: received.kind !== 'refused' }).toEqual({ name, authentic: valid });
    }
  });

  test.skipIf(samples === null)('the notifications', () => {
    const kinds = Object.entries(samples?.webhooks ?? {}).map(([name, body]) => {
      const normalised = read(Buffer.from(JSON.stringify(body)));
      return normalised.kind === 'events' ? [name, normalised.events.length, normalised.lookups?.length ?? 0] : [name, normalised.kind];
    });
    expect(kinds).toEqual([
      ['one', 0, 1],
      ['batched', 0, 2],
      ['organicNoAd', 0, 1],
      ['sourceFlat', 1, 0],
      ['sourceFieldData', 1, 0],
      ['broken', 'unreadable'],
    ]);
  });
});
