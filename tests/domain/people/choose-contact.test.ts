import { describe, expect, test } from 'vitest';
import { chooseContact, type HeldIdentity } from '../../../domain/people/choose-contact.ts';
import { saysMore } from '../../../domain/people/consent.ts';
import { foldDetails, noDetails } from '../../../domain/people/fold-details.ts';

const email = { kind: 'email', value: 'ada@example.com' };
const phone = { kind: 'phone', value: '+12025550101' };
const customer = (value: string) => ({ kind: 'external:shop', value });
const held = (person: string, ...identities: { kind: string; value: string }[]): HeldIdentity[] =>
  identities.map((i) => ({ ...i, contactId: person, personId: person }));

describe('which contact an event means', () => {
  test('nobody, when nobody has any of its identities', () => {
    expect(chooseContact([email], held('grace', phone))).toBeNull();
  });
  test('the one who has the address, with what is not known of them yet', () => {
    expect(chooseContact([email, phone], held('ada', email))).toEqual({ contactId: 'ada', personId: 'ada', together: ['ada'], missing: [phone] });
  });
  test('an address and a number of two people make them one', () => {
    expect(chooseContact([email, phone], [...held('ada', email), ...held('lovelace', phone)])?.together).toEqual(['ada', 'lovelace']);
  });
  test('a verified id wins over an address', () => {
    const chosen = chooseContact([customer('7'), email], [...held('ada', email), ...held('lovelace', customer('7'))]);
    expect(chosen).toMatchObject({ personId: 'lovelace', together: ['lovelace', 'ada'] });
  });
  test('people whose verified ids differ stay apart, whatever they share', () => {
    expect(chooseContact([customer('8'), email], held('ada', customer('7'), email))).toBeNull();
    const three = [...held('ada', customer('7'), email), ...held('grace', customer('8'), phone)];
    expect(chooseContact([email, phone], three)?.together).toEqual(['ada']);
  });
});

test('details are folded by the provider’s clock: an older event fills holes, a newer one overwrites', () => {
  const said = (firstName: string | null, locale: string | null) => ({
    ...noDetails,
    email: null,
    phone: null,
    externalId: null,
    consents: [],
    firstName,
    locale,
  });
  const known = foldDetails(noDetails, said('Ada', null), 2_000);
  expect(foldDetails(known, said('Augusta', 'en'), 1_000)).toMatchObject({ firstName: 'Ada', locale: 'en', detailsAt: 2_000 });
  expect(foldDetails(known, said('Augusta', null), 3_000)).toMatchObject({ firstName: 'Augusta', detailsAt: 3_000 });
});

test('a word about consent that was said before adds nothing; a later repeat does', () => {
  const known = [{ state: 'granted' as const, atMs: 2_000 }];
  expect(saysMore({ state: 'granted', atMs: 2_000 }, known)).toBe(false);
  expect(saysMore({ state: 'granted', atMs: 3_000 }, known)).toBe(true);
  expect(saysMore({ state: 'denied', atMs: 1_000 }, known)).toBe(true);
});
