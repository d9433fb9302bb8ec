import { describe, expect, test } from 'vitest';
import { minorDigits } from '../../../domain/money.ts';
import { type Consent, consentAllows, deniesEverything, foldConsent } from '../../../domain/people/consent.ts';
import { normaliseEmail, normalisePhone } from '../../../domain/people/identity.ts';
import { placeholderReason } from '../../../domain/people/placeholder.ts';
import { baseSegment } from '../../../domain/people/segments.ts';
import { segmentModifiers, sequenceType } from '../../../domain/subjects/cart/segment.ts';
import { tenantSettings } from '../../../domain/tenant-settings.ts';

describe('an email address', () => {
  test.each([
    [' Ada.Shopper@Example.COM ', 'ada.shopper@example.com'],
    ['ada+cart@example.com', 'ada+cart@example.com'],
    ["o'neill@example.co.uk", "o'neill@example.co.uk"],
    ['ada@BÜCHER.example', 'ada@xn--bcher-kva.example'],
    ['aki..tani.@docomo.example', 'aki..tani.@docomo.example'],
    ['"aki..tani."@docomo.example', 'aki..tani.@docomo.example'],
    ['.ada@example.com', '.ada@example.com'],
    ['"ada"@example.com', 'ada@example.com'],
    ['"ada shopper"@example.com', '"ada shopper"@example.com'],
    [String.raw`"a\"b@c"@example.com`, String.raw`"a\"b@c"@example.com`],
    ['Ada <Ada@example.com>', 'ada@example.com'],
    ['"Shopper, Ada" <ada@example.com>', 'ada@example.com'],
    ['mailto:ada@example.com?subject=Hi', 'ada@example.com'],
    ['ada@example.com.', 'ada@example.com'],
    ['ada@example.com,', 'ada@example.com'],
    ['\ufeffada\u200b@example.com\u00a0', 'ada@example.com'],
    ['\u202aada@example.com\u202c', 'ada@example.com'],
    ['ａｄａ＠ｅｘａｍｐｌｅ．ｃｏｍ', 'ada@example.com'],
    ['Ünal@example.com', 'ünal@example.com'],
    ['用户@例子.广告', '用户@xn--fsqu00a.xn--4rr70v'],
    [`${'a'.repeat(64)}@example.com`, `${'a'.repeat(64)}@example.com`],
    [`${'a'.repeat(64)}@${'abcdefg.'.repeat(23)}ab.de`, `${'a'.repeat(64)}@${'abcdefg.'.repeat(23)}ab.de`],
  ])('%j is written %s', (raw, normal) => {
    expect(normaliseEmail(raw)).toBe(normal);
    expect(normaliseEmail(normal)).toBe(normal);
  });

  test.each([
    null,
    undefined,
    '',
    'ada',
    '@example.com',
    'ada@',
    'ada@localhost',
    'ada@example',
    'ada@@example.com',
    'a@b@example.com',
    'ada shopper@example.com',
    'ada@example.com, eve@example.com',
    'ada@example.com\r\nBcc: eve@example.com',
    'ada\r\n@example.com',
    'ada\0@example.com',
    'ada@exa mple.com',
    'ada@example..com',
    'ada@-example.com',
    'ada@127.0.0.1',
    'ada@[127.0.0.1]',
    'ada@example.com/path',
    'ada@example.com:25',
    'ada@0x7f.1',
    `${'a'.repeat(65)}@example.com`,
    `ada@${'a'.repeat(64)}.com`,
    `ada@${'abcdefg.'.repeat(32)}com`,
    `${'a'.repeat(64)}@${'abcdefg.'.repeat(23)}abc.de`,
  ])('%j is none', (raw) => {
    expect(normaliseEmail(raw)).toBeNull();
  });
});

describe('a phone number', () => {
  test.each([
    ['+43 660 1234567', 'US', '+436601234567'],
    ['0660 1234567', 'AT', '+436601234567'],
    ['(212) 555-0123', 'us', '+12125550123'],
    ['+43 660 1234567', 'nowhere', '+436601234567'],
    ['+43 (0)660 1234567', 'US', '+436601234567'],
    ['0043 660 1234567', 'DE', '+436601234567'],
    ['Tel.: +43 660 1234567 (mobil)', 'US', '+436601234567'],
    ['+43 660 1234567 ext. 12', 'US', '+436601234567'],
    ['+43/660/1234567', 'US', '+436601234567'],
    ['tel:+436601234567;ext=5', 'US', '+436601234567'],
    ['０６６０１２３４５６７', 'AT', '+436601234567'],
    ['٠٦٦٠١٢٣٤٥٦٧', 'AT', '+436601234567'],
    ['\u202a+43 660 1234567\u202c', 'US', '+436601234567'],
  ])('%s in %s is %s', (raw, country, normal) => {
    expect(normalisePhone(raw, country)).toBe(normal);
  });

  test.each([null, '', '12', 'call me', '0660 1234567\r\n', '+1 000 000 0000', '9'.repeat(60)])('%j is none in the United States', (raw) => {
    expect(normalisePhone(raw, 'US')).toBeNull();
  });
});

describe('a placeholder', () => {
  const own = { addresses: ['hello@shop.example.com'] };

  test.each([
    ['email', 'noreply@example.com'],
    ['email', 'no-reply+7@example.com'],
    ['email', 'orders.noreply@example.com'],
    ['email', 'donotreply@example.com'],
    ['email', 'guest@example.com'],
    ['email', 'test@test.com'],
    ['email', 'hello@shop.example.com'],
    ['phone', '+12222222222'],
    ['phone', '+441234567890'],
    ['external:c-1', '0'],
    ['external:c-1', ' 000 '],
    ['external:c-1', 'NULL'],
    ['external:c-1', 'Guest'],
    ['external:c-1', 'undefined'],
    ['external:c-1', '00000000-0000-0000-0000-000000000000'],
    ['external:c-1', '{{ customer.id }}'],
    ['external:c-1', '${id}'],
    ['external:c-1', '%CUSTOMER_ID%'],
    ['external:c-1', '[object Object]'],
  ])('%s %j names nobody', (kind, value) => {
    expect(placeholderReason(kind, value, own)).not.toBeNull();
  });

  test.each([
    ['email', 'ada@example.com'],
    ['email', 'test@example.com'],
    ['email', 'hello@example.com'],
    ['email', 'norbert@example.com'],
    ['email', 'reply@example.com'],
    ['phone', '+4915123456789'],
    ['phone', '+436641234567'],
    ['phone', '+12025550143'],
    ['external:c-1', '10'],
    ['external:c-1', 'guest-17'],
    ['external:c-1', 'customer-0'],
    ['external:c-1', '6f9619ff-8b86-d011-b42d-00c04fc964ff'],
  ])('is not %s %j', (kind, value) => {
    expect(placeholderReason(kind, value, own)).toBeNull();
  });
});

type Basis = 'box' | 'record' | 'person';
const granted = (atMs: number, basis: Basis = 'person') => ({ state: 'granted' as const, basis, atMs });
const denied = (atMs: number, basis: Basis = 'person') => ({ state: 'denied' as const, basis, atMs });

describe('consent', () => {
  test('is the latest statement, by the provider’s clock', () => {
    expect(foldConsent([])).toBe('unknown');
    expect(foldConsent([granted(2), denied(1)])).toBe('granted');
    expect(foldConsent([denied(3), granted(2)])).toBe('denied');
  });

  test('of two statements at the same instant the denial counts, in either order', () => {
    expect([foldConsent([granted(1), denied(1)]), foldConsent([denied(1), granted(1)])]).toEqual(['denied', 'denied']);
  });

  test('has three states: an unticked box says nothing, a ticked one counts where there is no other statement, and undoes no opt-out', () => {
    expect(foldConsent([denied(1, 'box')])).toBe('unknown');
    expect(foldConsent([granted(1, 'box'), denied(2, 'box')])).toBe('granted');
    expect(foldConsent([granted(1, 'record'), denied(2, 'box')])).toBe('granted');
    expect(foldConsent([denied(1, 'record'), granted(2, 'box')])).toBe('denied');
    expect(foldConsent([denied(1), granted(2, 'box')])).toBe('denied');
    expect(foldConsent([denied(1, 'record'), granted(2, 'record')])).toBe('granted');
  });

  test('everything is closed by a denial of all channels, until the person opens one themselves', () => {
    const all = { channel: 'all', ...denied(2) };
    expect(deniesEverything([all])).toBe(true);
    expect(deniesEverything([all, { channel: 'email', ...granted(3, 'box') }])).toBe(true);
    expect(deniesEverything([all, { channel: 'email', ...granted(1) }])).toBe(true);
    expect(deniesEverything([all, { channel: 'email', ...granted(3) }])).toBe(false);
    expect(deniesEverything([{ channel: 'email', ...denied(2) }])).toBe(false);
  });

  test('unknown is enough only where the tenant does not require more', () => {
    expect([consentAllows('unknown', false), consentAllows('unknown', true), consentAllows('granted', true), consentAllows('denied', false)]).toEqual(
      [true, false, true, false],
    );
  });
});

describe('the segment of a customer', () => {
  const thresholds = { highValueMinor: 50_000 };

  test.each([
    ['nobody', null, 'FIRST_TIME'],
    ['no order', { orderCount: 0, lifetimeValueMinor: 90_000 }, 'FIRST_TIME'],
    ['nothing known', { orderCount: null, lifetimeValueMinor: null }, 'FIRST_TIME'],
    ['money spent, orders unknown', { orderCount: null, lifetimeValueMinor: 10_000 }, 'RETURNING'],
    ['exactly the threshold', { orderCount: 3, lifetimeValueMinor: 50_000 }, 'RETURNING'],
    ['above the threshold', { orderCount: 1, lifetimeValueMinor: 50_001 }, 'HIGH_VALUE'],
    ['orders, value unknown', { orderCount: 2, lifetimeValueMinor: null }, 'RETURNING'],
  ] as const)('%s', (_, customer, segment) => {
    expect(baseSegment(customer, thresholds)).toBe(segment);
  });

  test('LOW_STOCK composes with any of them; sold out or unknown is not low', () => {
    const low = (...stocks: (number | null)[]) =>
      segmentModifiers(
        stocks.map((stock) => ({ stock })),
        { lowStockAt: 5 },
      );
    expect([low(40, 5), low(6), low(0), low(null), low()]).toEqual([['LOW_STOCK'], [], [], [], []]);
  });

  test('sequence_type is one value: the base, or low_stock where the base is RETURNING', () => {
    expect(sequenceType('RETURNING', ['LOW_STOCK'])).toBe('low_stock');
    expect(sequenceType('RETURNING', [])).toBe('returning');
    expect(sequenceType('HIGH_VALUE', ['LOW_STOCK'])).toBe('high_value');
    expect(sequenceType('FIRST_TIME', ['LOW_STOCK'])).toBe('first_time');
  });
});

test('currencies have their own number of decimals', () => {
  expect(['EUR', 'jpy', 'KWD', 'XX', '', '€'].map(minorDigits)).toEqual([2, 0, 3, null, null, null]);
});

test('silence is enough for an email, and not for a text, a call or a push, unless the tenant says otherwise (rule 14)', () => {
  const { requireConsent } = tenantSettings.parse({});
  const allowed = (channel: string, consent: Consent) => consentAllows(consent, requireConsent.includes(channel));
  expect(['email', 'sms', 'call', 'push'].filter((channel) => allowed(channel, 'unknown'))).toEqual(['email']);
  expect(['email', 'sms'].filter((channel) => allowed(channel, 'granted'))).toEqual(['email', 'sms']);
  expect(['email', 'sms'].filter((channel) => allowed(channel, 'denied'))).toEqual([]);
});
