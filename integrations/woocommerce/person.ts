import type { PersonDetails } from '../../domain/events.ts';
import { readCountry, readRegion } from '../read/country.ts';
import { readLocale } from '../read/locale.ts';
import { type Fields, type Notes, readFields } from '../read/notes.ts';
import { nobody, readEmail, readPhone } from '../read/person.ts';
import { given, type Reading, readName, readNumber } from './reading.ts';

const nothing: Fields = {};

/** The fields in which a body names its person. */
interface Places {
  /** The member with the customer's number: 0 is a guest. */
  customerId: 'id' | 'customer_id';
  /** Members that hold an address; the first ones count more. */
  addresses: readonly { value: unknown; path: string }[];
}

/** Who placed an order: the billing address is that of the account or of the guest, the shipping address may be somebody else's. */
export function readBuyer(reading: Reading): PersonDetails {
  const { body } = reading;
  return readPerson(reading, { customerId: 'customer_id', addresses: [{ value: body['billing'], path: 'billing' }] });
}

/** A customer, from the topics about customers. */
export function readCustomer(reading: Reading): PersonDetails {
  const { body } = reading;
  return readPerson(reading, {
    customerId: 'id',
    addresses: [
      { value: body, path: '' },
      { value: body['billing'], path: 'billing' },
    ],
  });
}

/** The shopper of a cart, as the plugin reports it: the account's number and language beside the cart's own billing address. */
export function readShopper(reading: Reading, cart: Fields): PersonDetails {
  const addresses = [
    { value: cart['billing_address'], path: 'cart.billing_address' },
    { value: reading.body['customer'], path: 'customer' },
  ];
  return readPerson(reading, { customerId: 'customer_id', addresses });
}

function readPerson({ body, notes, store }: Reading, { customerId, addresses }: Places): PersonDetails {
  const places = addresses.map(({ value, path }) => ({
    fields: readFields(value, path === '' ? 'body' : path, notes) ?? nothing,
    at: path === '' ? '' : `${path}.`,
  }));
  const candidates = (field: string) => places.map(({ fields, at }) => ({ value: given(fields[field]), path: `${at}${field}` }));
  const country = first(candidates('country'), readCountry, notes);
  return {
    ...nobody,
    email: readEmail(candidates('email'), notes, store),
    phone: readPhone(candidates('phone'), notes, store, country),
    externalId: readNumber(body[customerId], customerId, notes),
    firstName: first(candidates('first_name'), readShortName, notes),
    lastName: first(candidates('last_name'), readShortName, notes),
    locale: readLocale(given(body['locale']), 'locale', notes),
    country,
    region: first(candidates('state'), readRegion, notes),
  };
}

function readShortName(value: unknown, path: string, notes: Notes): string | null {
  return readName(value, path, notes, 100);
}

function first<T>(
  candidates: readonly { value: unknown; path: string }[],
  read: (value: unknown, path: string, notes: Notes) => T | null,
  notes: Notes,
): T | null {
  for (const { value, path } of candidates) {
    const found = read(value, path, notes);
    if (found !== null) return found;
  }
  return null;
}
