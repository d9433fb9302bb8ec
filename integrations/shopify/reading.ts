import type { DomainEvent, SubjectKey } from '../../domain/events.ts';
import type { StoreContext } from '../port.ts';
import { type Instant, readInstant } from '../read/instant.ts';
import type { Fields, Notes } from '../read/notes.ts';
import { readId } from '../read/text.ts';
import { type Occurred, occurredAt } from '../read/understood.ts';

/** One delivery while it is read. */
export interface Reading {
  topic: string;
  body: Fields;
  notes: Notes;
  store: StoreContext;
  /** `X-Shopify-Triggered-At`: finer than the times in the body. */
  triggeredAt: Instant | null;
  receivedAtMs: number;
}

/** The events in a body; empty: it identifies neither a person nor a subject. */
export type Read = (reading: Reading) => DomainEvent[];

/** An id, exactly (see `parse-exactly.ts`), also in GraphQL's spelling: `gid://shopify/Order/123`. */
export function readShopifyId(value: unknown, path: string, notes: Notes): string | null {
  const id = readId(value, path, notes);
  const plain = id === null ? null : id.replace(/^gid:\/\/shopify\/\w+\//, '');
  return plain === null ? null : readId(plain.split('?')[0], path, notes);
}

/** The keys under which the body names a cart. Storefront carts append a key to their token (`…?key=…`); checkouts and orders name it bare. */
export function readKeys({ body, notes }: Reading, fields: Readonly<Record<string, string>>): SubjectKey[] {
  return Object.entries(fields).flatMap(([kind, field]) => {
    const value = readShopifyId(body[field], field, notes);
    return value === null ? [] : [{ kind, value }];
  });
}

/** The first of these fields that holds a time. */
export function firstInstant({ body, notes, store }: Reading, fields: readonly string[]): Instant | null {
  for (const field of fields) {
    const found = readInstant(body[field], field, notes, store.timeZone);
    if (found !== null) return found;
  }
  return null;
}

/**
 * When it happened: the first of these fields, else when the webhook was triggered, else now.
 * @param fine - Shopify's times have whole seconds; of two events of one second the webhooks' own times show which was later
 */
export function happenedAt(reading: Reading, fields: readonly string[], fine = true): Occurred {
  const stated = firstInstant(reading, fields);
  return occurredAt(
    fine && stated !== null ? refined(stated, reading.triggeredAt) : (stated ?? reading.triggeredAt),
    fields[0] ?? null,
    reading.notes,
    reading.receivedAtMs,
  );
}

function refined(stated: Instant, triggeredAt: Instant | null): Instant {
  if (!stated.toTheSecond || triggeredAt === null) return stated;
  return Math.floor(stated.ms / 1_000) === Math.floor(triggeredAt.ms / 1_000) ? { ...triggeredAt } : stated;
}
