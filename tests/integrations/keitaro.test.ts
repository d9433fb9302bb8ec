import { describe, expect, test } from 'vitest';
import { keitaroReceiver } from '../../integrations/keitaro/receive.ts';
import type { Delivery } from '../../integrations/port.ts';
import { aStore } from '../helpers/a-store.ts';
import { providerSpec } from '../helpers/provider-spec.ts';

const receivedAtMs = Date.UTC(2026, 10, 24, 12);
const address = 'https://rekindle.example/api/webhooks/keitaro/a-connection';
const asked = (query: string, url = address): Delivery => ({
  method: 'GET',
  url: `${url}?${query}`,
  raw: Buffer.alloc(0),
  headers: {},
  receivedAtMs,
});
const store = { ...aStore, config: { currency: 'USD' } };
const receive = (delivery: Delivery, config: object = store.config) => keitaroReceiver.receive(delivery, ['our-token'], { ...aStore, config });
const conversionIn = (query: string, config?: object) => {
  const received = receive(asked(query), config);
  const event = received.kind === 'events' ? received.events[0] : undefined;
  if (event?.type !== 'conversion.reported') throw new Error(`no conversion: ${JSON.stringify(received)}`);
  return { ...event.conversion, notes: received.kind === 'events' ? received.notes : [] };
};

test.for([
  ['sale', 'sale'],
  ['SALE', 'sale'],
  ['', 'sale'],
  ['reject', 'reject'],
  ['rejected', 'reject'],
  ['trash', 'reject'],
  ['rebill', 'rebill'],
  ['lead', 'lead'],
  ['registration', 'registration'],
  ['constructor', 'other'],
  ['hold', 'other'],
] as const)('the status "%s" is understood as %s', ([status, outcome]) => {
  expect(conversionIn(`subid=k&status=${status}`)).toMatchObject({ outcome, status: status.toLowerCase() || 'sale' });
});

test('a status that is not known is kept, says so, and means what the connection or the postback says', () => {
  expect(conversionIn('subid=k&status=Confirmed')).toMatchObject({ outcome: 'other', status: 'confirmed', notes: [{ field: 'status' }] });
  expect(conversionIn('subid=k&status=Confirmed', { statuses: { CONFIRMED: 'sale' } })).toMatchObject({ outcome: 'sale', notes: [] });
  expect(conversionIn('subid=k&status=approved&sale_status=confirmed,approved')).toMatchObject({ outcome: 'sale', notes: [] });
});

test('amounts are exact, also with a decimal comma, in the currency that is named, else the connection’s, else the store’s', () => {
  expect(conversionIn('subid=k&payout=30%2C50')).toMatchObject({ payoutMinor: 3050, currency: 'USD' });
  expect(conversionIn('subid=k&payout=0.1&currency=EUR')).toMatchObject({ payoutMinor: 10, currency: 'EUR' });
  expect(conversionIn('subid=k&payout=1500&currency=JPY')).toMatchObject({ payoutMinor: 1500, currency: 'JPY' });
  const ofStore = keitaroReceiver.receive(asked('subid=k&revenue=12'), ['our-token'], { ...aStore, currency: 'GBP' });
  expect(ofStore).toMatchObject({ events: [{ conversion: { payoutMinor: 1200, currency: 'GBP' } }] });
  expect(conversionIn('subid=k&payout=much')).toMatchObject({ payoutMinor: null, currency: null, notes: [{ field: 'payout' }] });
});

describe('an unfilled macro', () => {
  test.for([
    ['subid=%7Bsubid%7D&status=sale', 'subid'],
    ['sub_id=%257Bexternal_id%257D&status=sale', 'sub_id'],
    ['subid=k&status={status:lead=lead sale=sale}', 'status'],
    ['status=sale', 'sub_id'],
  ] as const)('or nothing in place of a name is refused with its field: %s', ([query, field]) => {
    expect(receive(asked(query))).toMatchObject({ kind: 'unreadable', mayBeStop: true, fields: [{ field }] });
  });

  test('in any other place loses no sale', () => {
    expect(conversionIn('subid=k&sub_id={external_id}&status=sale&tid={trans_id}&payout={revenue}&click_id={x}')).toMatchObject({
      ...{ ids: ['k'], outcome: 'sale', tid: '', payoutMinor: null, clickId: null },
      notes: [{ field: 'sub_id' }, { field: 'click_id' }, { field: 'tid' }, { field: 'payout' }],
    });
  });
});

test('a repeat is known by click, status and transaction, whatever else it says', () => {
  const keyOf = (query: string) => {
    const received = receive(asked(query));
    return 'dedupeKey' in received ? received.dedupeKey : null;
  };
  const key = keyOf('subid=k&status=sale&tid=1&payout=1');
  expect(keyOf('status=SALE&payout=2&tid=1&subid=k&sub_id=x')).toBe(key);
  for (const other of ['subid=k&status=sale&tid=2', 'subid=k&status=rebill&tid=1', 'subid=m&status=sale&tid=1']) expect(keyOf(other)).not.toBe(key);
});

test('where the connection asks for the token, its address is not enough', () => {
  expect(receive(asked('subid=k'), { requireToken: true })).toMatchObject({ kind: 'refused', reason: 'missing_signature' });
  expect(receive(asked('subid=k&token=our-token'), { requireToken: true })).toMatchObject({ kind: 'events' });
});

interface Sample {
  method: string;
  query?: string;
  contentType?: string;
  body?: string;
  expect?: string;
}
const samples = providerSpec('keitaro/samples.json');

test.skipIf(samples === null)('every request of the samples is read, and those with unfilled macros are refused', () => {
  const { requests } = samples as { requests: Record<string, Sample> };
  const read = Object.fromEntries(
    Object.entries(requests).map(([name, { method, query = '', body = '' }]) => {
      const received = receive({ ...asked(query), method: method === 'POST' ? 'POST' : 'GET', raw: Buffer.from(body) });
      const [event] = received.kind === 'events' ? received.events : [];
      return [name, event?.type === 'conversion.reported' ? event.conversion.outcome : received.kind];
    }),
  );
  expect(read).toEqual({
    ...{ sale: 'sale', lead: 'lead', rejected: 'reject', rebill: 'rebill', sourceNames: 'sale', noStatus: 'sale' },
    ...{ unfilledMacro: 'unreadable', networkStatus: 'sale', nonNumericPayout: 'sale' },
  });
});
