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
  test('a number of somebody who has another address merges nobody with them', () => {
    const lovelace = held('lovelace', phone, { kind: 'email', value: 'lovelace@example.com' });
    expect(chooseContact([email, phone], [...held('ada', email), ...lovelace])).toMatchObject({
      personId: 'ada',
      together: ['ada'],
      missing: [phone],
    });
    expect(chooseContact([email, phone], lovelace)).toBeNull();
  });
  test('nor of somebody who is known by a verified id: one would get emails about the other’s cart', () => {
    expect(chooseContact([email, phone], held('lovelace', phone, customer('7')))).toBeNull();
    expect(chooseContact([customer('8'), phone], held('lovelace', phone, email))).toBeNull();
  });
  test('a person known by the number alone is the one who names it beside an address, while nobody else has it', () => {
    const nameless = held('nameless', phone);
    expect(chooseContact([email, phone], nameless)).toMatchObject({ personId: 'nameless', together: ['nameless'], missing: [email] });
    expect(chooseContact([email, phone], [...held('ada', email), ...nameless])?.together).toEqual(['ada', 'nameless']);
    const shared = [...nameless, ...held('lovelace', phone, { kind: 'email', value: 'lovelace@example.com' })];
    expect(chooseContact([email, phone], shared)).toBeNull();
  });
  test('the number alone means its only holder, else the one who is known by nothing else, else nobody', () => {
    const ada = held('ada', phone, email);
    const grace = held('grace', phone, { kind: 'email', value: 'grace@example.com' });
    expect(chooseContact([phone], ada)?.personId).toBe('ada');
    expect(chooseContact([phone], [...ada, ...held('nameless', phone)])?.personId).toBe('nameless');
    expect(chooseContact([phone], [...ada, ...grace])).toBeNull();
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

test('a statement about consent that was made before adds nothing; a later repeat does', () => {
  const basis = 'person' as const;
  const known = [{ state: 'granted' as const, basis, atMs: 2_000 }];
  expect(saysMore({ state: 'granted', basis, atMs: 2_000 }, known)).toBe(false);
  expect(saysMore({ state: 'granted', basis, atMs: 3_000 }, known)).toBe(true);
  expect(saysMore({ state: 'denied', basis, atMs: 1_000 }, known)).toBe(true);
});
