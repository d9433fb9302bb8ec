import { namesSomebody } from '../read/person.ts';
import { occurredAt } from '../read/understood.ts';
import { readCustomer } from './person.ts';
import { type Read, readTime } from './reading.ts';

/** `customer.created`, `customer.updated`: what is new about a customer. WooCommerce itself keeps no consent to marketing. */
export const readCustomerChange: Read = (reading) => {
  const person = readCustomer(reading);
  if (!namesSomebody(person)) return [];
  const changedAt = readTime(reading, 'date_modified') ?? readTime(reading, 'date_created');
  return [{ type: 'contact.updated', ...occurredAt(changedAt, 'date_modified_gmt', reading.notes, reading.receivedAtMs), person }];
};
