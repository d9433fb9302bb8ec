import { namesSomebody, readEmail, readPhone } from '../read/person.ts';
import { readFields } from '../read/notes.ts';
import { optIns, optOuts } from './consent.ts';
import { readCustomer } from './person.ts';
import { happenedAt, type Read, readShopifyId } from './reading.ts';

/** `customers/create`, `customers/update`: what is new about a customer. A record of "unsubscribed" is an opt-out. */
export const readCustomerChange: Read = (reading) => {
  const { person, records, customer } = readCustomer(reading);
  if (!namesSomebody(person)) return [];
  const occurred = happenedAt(reading, ['updated_at', 'created_at']);
  return [...optOuts(records, customer, occurred.occurredAtMs), { type: 'contact.updated', ...occurred, person }];
};

/**
 * `customers_email_marketing_consent/update`, `customers_marketing_consent/update`: the shop changed what it has on record about one channel.
 * Subscribing is an opt-in here, unsubscribing an opt-out; of any other state only the statement is kept, if it is one.
 */
export const readConsentChange: Read = (reading) => {
  const { person, records, customer } = readCustomer(reading);
  if (!namesSomebody(person)) return [];
  const occurred = happenedAt(reading, []);
  const acts = [...optOuts(records, customer, occurred.occurredAtMs), ...optIns(records, customer, occurred.occurredAtMs)];
  return acts.length > 0 ? acts : [{ type: 'contact.updated', ...occurred, person }];
};

/** Shopify's mandatory topics. Whatever is readable of the customer is recorded with the request. */
export function privacyRequested(topic: 'data_request' | 'redact' | 'shop_redact'): Read {
  return (reading) => {
    const { body, notes, store } = reading;
    const customer = readFields(body['customer'], 'customer', notes);
    const person =
      customer === null
        ? null
        : {
            email: readEmail([{ value: customer['email'], path: 'customer.email' }], notes, store),
            phone: readPhone([{ value: customer['phone'], path: 'customer.phone' }], notes, store, null),
            externalId: readShopifyId(customer['id'], 'customer.id', notes),
          };
    return [{ type: 'privacy.requested', ...happenedAt(reading, []), topic, person }];
  };
}

/** The body has no time of the uninstallation, only the shop's own times. */
export const readUninstalled: Read = (reading) => [{ type: 'app.uninstalled', ...happenedAt(reading, []) }];
