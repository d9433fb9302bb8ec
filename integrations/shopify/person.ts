import type { ReportedConsent, PersonDetails, PersonRef } from '../../domain/events.ts';
import { readCountry, readRegion } from '../read/country.ts';
import { readLocale } from '../read/locale.ts';
import { readCurrency, readMoney } from '../read/money.ts';
import { type Fields, isAbsent, readFields } from '../read/notes.ts';
import { namesSomebody, readEmail, readPhone } from '../read/person.ts';
import { readCount, readFlag, readText } from '../read/text.ts';
import { type ConsentRecord, readRecords, statementOf } from './consent.ts';
import { type Reading, readShopifyId } from './reading.ts';

/** A shopper or buyer, and what the shop has on record about them. */
export interface Shopper {
  person: PersonDetails;
  records: ConsentRecord[];
  /** The customer whom the records are about; their address may differ from that of the cart or the order. */
  customer: PersonRef;
}

const nothing: Fields = {};

/** Who left a checkout or placed an order. */
export function readShopper(reading: Reading): Shopper {
  const { body, notes, store } = reading;
  const known = readFields(body['customer'], 'customer', notes);
  const customer = known ?? nothing;
  const places = (
    [
      [body['shipping_address'], 'shipping_address'],
      [body['billing_address'], 'billing_address'],
      [customer['default_address'], 'customer.default_address'],
    ] as const
  ).flatMap(([value, path]) => placeOf(reading, value, path));
  const country = places.find((p) => p.country !== null)?.country ?? null;
  const email = readEmail(
    [
      { value: body['email'], path: 'email' },
      { value: body['contact_email'], path: 'contact_email' },
      { value: customer['email'], path: 'customer.email' },
    ],
    notes,
    store,
  );
  const textsAccepted = readFlag(body['buyer_accepts_sms_marketing'], 'buyer_accepts_sms_marketing', notes);
  const phone = readPhone(phonesOf(body, customer, textsAccepted === true), notes, store, country);
  const externalId = readShopifyId(customer['id'], 'customer.id', notes);
  const records = known === null ? [] : readRecords(reading, known, 'customer.');
  const boxes = readBoxes(reading, { email, phone }, textsAccepted);
  return {
    records,
    customer: {
      email: readEmail([{ value: customer['email'], path: 'customer.email' }], [], store) ?? email,
      phone: null,
      externalId,
    },
    person: {
      email,
      phone,
      externalId,
      ...namesOf(reading, [[customer, 'customer'], ...places.map(({ fields, path }) => [fields, path] as const)]),
      locale: readLocale(body['customer_locale'], 'customer_locale', notes),
      timeZone: null,
      country,
      region: places.find((p) => p.region !== null && p.country === country)?.region ?? null,
      ...figuresOf(reading, customer, 'customer.'),
      consents: namesSomebody({ email, phone, externalId }) ? [...records.map(statementOf), ...boxes] : [],
    },
  };
}

/** The number that was given for text messages is the one that the consent is about. */
function phonesOf(body: Fields, customer: Fields, textsAccepted: boolean) {
  const texts = { value: body['sms_marketing_phone'], path: 'sms_marketing_phone' };
  const others = [
    { value: body['phone'], path: 'phone' },
    { value: customer['phone'], path: 'customer.phone' },
  ];
  return textsAccepted ? [texts, ...others] : [...others, texts];
}

/** A ticked box is a yes, beside the address that it is about. An unticked box says nothing: most shoppers never touch it. */
function readBoxes(
  { body, notes }: Reading,
  address: { email: string | null; phone: string | null },
  textsAccepted: boolean | null,
): ReportedConsent[] {
  const ticked = { state: 'granted', basis: 'box', atMs: null } as const;
  const emailsAccepted = readFlag(body['buyer_accepts_marketing'], 'buyer_accepts_marketing', notes);
  return [
    ...(emailsAccepted === true && address.email !== null ? [{ channel: 'email' as const, ...ticked }] : []),
    ...(textsAccepted === true && address.phone !== null ? [{ channel: 'sms' as const, ...ticked }] : []),
  ];
}

/** A customer, from the topics in which the body is the customer. */
export function readCustomer(reading: Reading): Shopper {
  const { body, notes, store } = reading;
  const place = placeOf(reading, body['default_address'], 'default_address')[0] ?? null;
  const records = readRecords(reading, body, '');
  const person: PersonDetails = {
    email: readEmail(
      [
        { value: body['email'], path: 'email' },
        { value: body['email_address'], path: 'email_address' },
      ],
      notes,
      store,
    ),
    phone: readPhone([{ value: body['phone'], path: 'phone' }], notes, store, place?.country ?? null),
    externalId: readShopifyId(body['customer_id'] ?? body['id'], isAbsent(body['customer_id']) ? 'id' : 'customer_id', notes),
    ...namesOf(reading, [[body, ''], ...(place === null ? [] : [[place.fields, 'default_address'] as const])]),
    locale: readLocale(body['locale'], 'locale', notes),
    timeZone: null,
    country: place?.country ?? null,
    region: place?.region ?? null,
    ...figuresOf(reading, body, ''),
    consents: records.map(statementOf),
  };
  const { email, phone, externalId } = person;
  return { person, records, customer: { email, phone, externalId } };
}

interface Place {
  fields: Fields;
  path: string;
  country: string | null;
  region: string | null;
}

function placeOf({ notes }: Reading, value: unknown, path: string): Place[] {
  const fields = readFields(value, path, notes);
  if (fields === null) return [];
  const country =
    readCountry(fields['country_code'], `${path}.country_code`, notes) ??
    readCountry(fields['country'], `${path}.country`, notes) ??
    readCountry(fields['country_name'], `${path}.country_name`, notes);
  const region = readRegion(fields['province_code'], `${path}.province_code`, notes) ?? readRegion(fields['province'], `${path}.province`, notes);
  return [{ fields, path, country, region }];
}

function namesOf({ notes }: Reading, sources: readonly (readonly [Fields, string])[]): Pick<PersonDetails, 'firstName' | 'lastName'> {
  const first = (field: string) => {
    for (const [fields, path] of sources) {
      const name = readText(fields[field] === '' ? null : fields[field], path === '' ? field : `${path}.${field}`, notes, 100);
      if (name !== null) return name;
    }
    return null;
  };
  return { firstName: first('first_name'), lastName: first('last_name') };
}

function figuresOf({ notes }: Reading, customer: Fields, at: string): Pick<PersonDetails, 'orderCount' | 'lifetimeValueMinor'> {
  const currency = readCurrency(customer['currency'], `${at}currency`, notes);
  return {
    orderCount: readCount(customer['orders_count'], `${at}orders_count`, notes),
    lifetimeValueMinor: currency === null ? null : readMoney(customer['total_spent'], `${at}total_spent`, notes, currency),
  };
}
