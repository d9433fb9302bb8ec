import type { ReportedConsent, DomainEvent, PersonRef } from '../../domain/events.ts';
import type { EpochMs } from '../../domain/sequence/plan.ts';
import { readInstant } from '../read/instant.ts';
import { type Fields, isAbsent, note, readFields } from '../read/notes.ts';
import { namesSomebody } from '../read/person.ts';
import { readFlag } from '../read/text.ts';
import type { Reading } from './reading.ts';

/** What Shopify has on record about a customer and a channel. */
export interface ConsentRecord {
  channel: ReportedConsent['channel'];
  /** `redacted`: the customer's data were erased, so nothing may be sent. Nothing else is a statement. */
  state: 'subscribed' | 'unsubscribed' | 'redacted';
  /** null: not stated. */
  atMs: EpochMs | null;
  /** The customer confirmed it from their own mailbox or phone. */
  confirmed: boolean;
}

/** What the shop's records say about marketing, in `email_marketing_consent` and `sms_marketing_consent` or in the older fields. */
export function readRecords(reading: Reading, customer: Fields, path: string): ConsentRecord[] {
  const email = readRecord(reading, customer, path, 'email') ?? olderRecord(reading, customer, path);
  const sms = readRecord(reading, customer, path, 'sms');
  return [email, sms].filter((record) => record !== null);
}

function readRecord(reading: Reading, customer: Fields, at: string, channel: ReportedConsent['channel']): ConsentRecord | null {
  const path = `${at}${channel}_marketing_consent`;
  const fields = readFields(customer[`${channel}_marketing_consent`], path, reading.notes);
  if (fields === null) return null;
  const state = stateOf(fields['state'] ?? fields['marketing_state']);
  if (state === 'pending') note(reading.notes, `${path}.state`, 'is pending: nothing is said until it is confirmed');
  else if (state === null && !isAbsent(fields['state'])) note(reading.notes, `${path}.state`, 'is no state that we know: left out');
  if (state !== 'subscribed' && state !== 'unsubscribed' && state !== 'redacted') return null;
  const level = fields['opt_in_level'] ?? fields['marketing_opt_in_level'];
  return { channel, state, atMs: timeOf(reading, fields['consent_updated_at'], `${path}.consent_updated_at`), confirmed: isConfirmed(level) };
}

const states = ['subscribed', 'unsubscribed', 'redacted', 'pending', 'not_subscribed', 'invalid'] as const;

function stateOf(value: unknown): (typeof states)[number] | null {
  const text =
    typeof value === 'string'
      ? value
          .trim()
          .toLowerCase()
          .replace(/[\s-]+/g, '_')
      : '';
  return states.find((state) => state === text) ?? null;
}

/** Before 2022. `false` may mean that nobody was asked. */
function olderRecord(reading: Reading, customer: Fields, at: string): ConsentRecord | null {
  if (!isAbsent(customer['email_marketing_consent'])) return null;
  if (readFlag(customer['accepts_marketing'], `${at}accepts_marketing`, reading.notes) !== true) return null;
  const atMs = timeOf(reading, customer['accepts_marketing_updated_at'], `${at}accepts_marketing_updated_at`);
  return { channel: 'email', state: 'subscribed', atMs, confirmed: isConfirmed(customer['marketing_opt_in_level']) };
}

function isConfirmed(level: unknown): boolean {
  return typeof level === 'string' && level.trim().toLowerCase() === 'confirmed_opt_in';
}

function timeOf({ notes, store, receivedAtMs }: Reading, value: unknown, path: string): EpochMs | null {
  const found = readInstant(value, path, notes, store.timeZone);
  return found === null ? null : Math.min(found.ms, receivedAtMs);
}

/** A record as a statement about the person. */
export function statementOf({ channel, state, atMs }: ConsentRecord): ReportedConsent {
  return { channel, state: state === 'subscribed' ? 'granted' : 'denied', basis: 'record', atMs };
}

const source = 'shop record';

/**
 * Opt-outs in the records. `redacted` is none: it is a denial that nobody asked for, and the erasure itself comes by `customers/redact`.
 * @param person - the customer whom the records are about
 */
export function optOuts(records: readonly ConsentRecord[], person: PersonRef, occurredAtMs: EpochMs): DomainEvent[] {
  return records
    .filter((record) => record.state === 'unsubscribed' && namesSomebody(person))
    .map((record) => ({
      type: 'contact.opted_out',
      occurredAtMs: record.atMs ?? occurredAtMs,
      person,
      channel: record.channel,
      final: false,
      source,
      basis: 'record',
    }));
}

/** Opt-ins in the records, for the topics that are only about consent. */
export function optIns(records: readonly ConsentRecord[], person: PersonRef, occurredAtMs: EpochMs): DomainEvent[] {
  return records
    .filter((record) => record.state === 'subscribed' && namesSomebody(person))
    .map((record) => ({
      type: 'contact.opted_in',
      occurredAtMs: record.atMs ?? occurredAtMs,
      person,
      channel: record.channel,
      source,
      wording: null,
      basis: 'record',
      confirmed: record.confirmed,
    }));
}
