import type { PersonDetails, PersonRef } from '../../domain/events.ts';
import { normaliseEmail, normalisePhone, withoutInvisible } from '../../domain/people/identity.ts';
import { placeholderReason } from '../../domain/people/placeholder.ts';
import type { StoreContext } from '../port.ts';
import { isAbsent, type Notes, note } from './notes.ts';

/** A field that may hold an address or a number, and where it lies. */
export interface Candidate {
  value: unknown;
  path: string;
}

/** Whether a reference names somebody. */
export function namesSomebody(person: PersonRef): boolean {
  return person.email !== null || person.phone !== null || person.externalId !== null || person.telegram != null;
}

/** The first candidate that is a usable address, normalised. Every unusable one is noted. */
export function readEmail(candidates: readonly Candidate[], notes: Notes, store: StoreContext): string | null {
  return firstUsable(candidates, notes, 'email', store, (text) => normaliseEmail(text));
}

/**
 * The first candidate that is a usable number, in E.164. Every unusable one is noted.
 * @param country - of the event: it decides about a number without country code before the store's does
 */
export function readPhone(candidates: readonly Candidate[], notes: Notes, store: StoreContext, country: string | null): string | null {
  return firstUsable(candidates, notes, 'phone', store, (text) => {
    return (country === null ? null : normalisePhone(text, country)) ?? normalisePhone(text, store.country);
  });
}

function firstUsable(
  candidates: readonly Candidate[],
  notes: Notes,
  kind: 'email' | 'phone',
  store: StoreContext,
  normalise: (text: string) => string | null,
): string | null {
  let usable: string | null = null;
  for (const { value, path } of candidates) {
    if (isAbsent(value)) continue;
    const text = typeof value === 'number' ? String(value) : value;
    const found = typeof text === 'string' ? normalise(text) : null;
    const placeholder = found === null ? null : placeholderReason(kind, found, store);
    if (found !== null && placeholder === null) usable ??= found;
    else note(notes, path, `${placeholder ?? fault(text, kind)}: left out`);
  }
  return usable;
}

function fault(text: unknown, kind: 'email' | 'phone'): string {
  if (typeof text === 'string' && withoutInvisible(text) === '') return 'is empty';
  return kind === 'email' ? 'is no email address' : 'is no phone number';
}

/** A person of whom nothing is known. */
export const nobody: PersonDetails = {
  email: null,
  phone: null,
  externalId: null,
  firstName: null,
  lastName: null,
  locale: null,
  timeZone: null,
  country: null,
  region: null,
  orderCount: null,
  lifetimeValueMinor: null,
  consents: [],
};
