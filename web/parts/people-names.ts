import type { Item } from '../../sdk/index.ts';
import { contacts } from '../../sdk/index.ts';
import { useStoreQuery } from '../session/store-query.ts';

export type Contact = Item<'GET /api/contacts'>;

/** How somebody is called here: by name, else by the address that they are known by. */
export function nameOf({
  first_name: first,
  last_name: last,
  emails,
  phones,
}: Pick<Contact, 'first_name' | 'last_name' | 'emails' | 'phones'>): string {
  const name = [first, last].filter((part) => part !== null && part !== '').join(' ');
  return name !== '' ? name : (emails[0] ?? phones[0] ?? 'Somebody unknown');
}

/** The names of up to 200 contacts, by their ids. Empty until they are known. */
export function usePeopleNames(ids: readonly string[]): ReadonlyMap<string, Contact> {
  const wanted = [...new Set(ids)].toSorted().slice(0, 200);
  const found = useStoreQuery(['contacts', 'ids', wanted], (api, signal) => contacts(api).list({ ids: wanted.join(','), limit: 200 }, { signal }), {
    enabled: wanted.length > 0,
    keep: true,
  });
  return new Map(found.data?.data.map((one) => [one.id, one]));
}
