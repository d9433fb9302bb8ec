import type { DomainEvent, PersonRef, SubjectKey } from '../../domain/events.ts';
import type { Identity } from '../../domain/people/choose-contact.ts';
import { normaliseChatId, normaliseEmail, normalisePhone } from '../../domain/people/identity.ts';
import { placeholderReason } from '../../domain/people/placeholder.ts';
import { ownAddressesOf, type TenantSettings } from '../../domain/tenant-settings.ts';

/** What decides how an event's raw fields are read. */
export interface EventSource {
  tenantId: string;
  /** Empty for events that come without a webhook. */
  connectionId: string;
  /** ISO 3166-1 alpha-2, for phone numbers without a country code. */
  country: string;
  /** The store's own addresses, normalised: they name no person. */
  ownAddresses: string[];
  /** Kinds of keys that several connections of the store share (`sharedKeys` of the tenant's settings). */
  sharedKeys: TenantSettings['sharedKeys'];
}

const sources = new WeakMap<TenantSettings, Map<string, EventSource>>();

/** @returns the same object for the same settings, so that what was worked out for it is found again */
export function sourceOf(where: { tenantId: string; connectionId: string }, settings: TenantSettings): EventSource {
  const own = sources.get(settings) ?? new Map<string, EventSource>();
  sources.set(settings, own);
  const key = `${where.tenantId} ${where.connectionId}`;
  const source = own.get(key) ?? newSource(where, settings);
  own.set(key, source);
  return source;
}

function newSource(where: { tenantId: string; connectionId: string }, settings: TenantSettings): EventSource {
  return {
    tenantId: where.tenantId,
    connectionId: where.connectionId,
    country: settings.country,
    ownAddresses: ownAddressesOf(settings),
    sharedKeys: settings.sharedKeys,
  };
}

/** A subject's key and the connection in whose namespace it is unique. */
export interface ScopedKey extends SubjectKey {
  connectionId: string;
}

/**
 * The identities that a reference names, normalised. Values that cannot be an address or a number are left out, and so are placeholders.
 * Source: docs/rules.md#rule-10
 */
export function identitiesOf(source: EventSource, ref: PersonRef): Identity[] {
  const before = normalised.get(ref);
  if (before?.source === source) return [...before.identities];
  const identities = readIdentities(source, ref);
  normalised.set(ref, { source, identities });
  return [...identities];
}

/** Worked out once for each reference and source, as `known` below: normalising a number or an international domain takes long. */
const normalised = new WeakMap<PersonRef, { source: EventSource; identities: readonly Identity[] }>();

function readIdentities(source: EventSource, ref: PersonRef): Identity[] {
  const email = ref.email === null ? null : normaliseEmail(ref.email);
  const phone = ref.phone === null ? null : normalisePhone(ref.phone, source.country);
  const chat = normaliseChatId(ref.telegram);
  const all = [
    ...(ref.externalId === null ? [] : [{ kind: `external:${source.connectionId}`, value: ref.externalId }]),
    ...(email === null ? [] : [{ kind: 'email', value: email }]),
    ...(phone === null ? [] : [{ kind: 'phone', value: phone }]),
    ...(chat === null ? [] : [{ kind: 'telegram', value: chat }]),
  ];
  return all.filter(({ kind, value }) => placeholderReason(kind, value, { addresses: source.ownAddresses }) === null);
}

/** The kind under which a key is stored that several connections share. */
const sharedKind = 'shared';

/**
 * The keys of an event as the store has declared them. Each belongs to its connection; a key of a shared kind is stored once more under a
 * name that all these connections have in common, so that the same subject reported by two of them is one.
 */
export function keysOf(source: EventSource, keys: readonly SubjectKey[]): ScopedKey[] {
  const own = keys.map((key) => ({ ...key, connectionId: source.connectionId }));
  const shared = source.sharedKeys.flatMap(({ connections, kinds }) => {
    const [first] = [...connections].sort();
    if (first === undefined || !connections.includes(source.connectionId)) return [];
    return own.filter((key) => kinds.includes(key.kind)).map(({ value }) => ({ connectionId: first, kind: sharedKind, value }));
  });
  return [...own, ...shared.filter((key, at) => shared.findIndex((other) => other.value === key.value) === at)];
}

/** What an event names. */
export interface EventNames {
  identities: readonly Identity[];
  keys: readonly ScopedKey[];
}

const known = new WeakMap<DomainEvent, { source: EventSource; names: EventNames }>();

/** The names in an event, before anything is looked up. Worked out once for each event and source: reading, locking and deciding all ask for them. */
export function namedBy(source: EventSource, event: DomainEvent): EventNames {
  const before = known.get(event);
  if (before?.source === source) return before.names;
  const names = namesOf(source, event);
  known.set(event, { source, names });
  return names;
}

function namesOf(source: EventSource, event: DomainEvent): EventNames {
  const identities = 'person' in event && event.person !== null ? identitiesOf(source, event.person) : [];
  const keys = 'keys' in event ? keysOf(source, event.keys ?? []) : [];
  return { identities, keys: [...keys, ...trackerIdsOf(event).map((value) => ({ connectionId: noConnection, kind: trackerKind, value }))] };
}

const noConnection = '00000000-0000-0000-0000-000000000000';
/** As `find_named_2` has it. Such a key is locked and looked up, and never stored: a lead and its conversion wait for each other by it. */
const trackerKind = 'tracker_id';

/** The name of such a key's lock, as `lock_named_2` makes it. */
export const lockNameOfTracker = (tenantId: string, id: string): string => `${tenantId} subject ${noConnection} ${trackerKind} ${id}`;

/** By which a tracker may name the lead of this event, or does. */
export function trackerIdsOf(event: DomainEvent): string[] {
  if (event.type === 'conversion.reported') return event.conversion.ids;
  if (event.type !== 'lead.created') return [];
  const { subId = null, clickId = null } = event.lead;
  const own = event.keys.filter(({ kind }) => kind === 'lead').map(({ value }) => value);
  return [...new Set([...own, subId, clickId])].filter((id) => id !== null);
}
