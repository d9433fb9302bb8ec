import { queryOptions, useQuery } from '@tanstack/react-query';
import { createContext, useContext } from 'react';
import type { Api, Data } from '../../sdk/index.ts';
import { connect, session, unwrap } from '../../sdk/index.ts';

/** Who is signed in, and to which stores. */
export type Session = Data<'GET /api/session'>;
export type StoreOfSession = Session['stores'][number];
export type Role = StoreOfSession['role'];

/** What people may do; docs/rules.md#rule-87. */
type Permission = 'read' | 'operate' | 'edit' | 'administer' | 'own';
const order: readonly Permission[] = ['read', 'operate', 'edit', 'administer', 'own'];
const ranks: Record<Role, Permission> = { viewer: 'read', agent: 'operate', editor: 'edit', admin: 'administer', owner: 'own' };

/** Whether the role may do it. The API decides; this keeps buttons from being shown in vain. */
export const may = (role: Role, needed: Permission): boolean => order.indexOf(ranks[role]) >= order.indexOf(needed);

/** The API as whoever is signed in. @param store - the slug of the store that is meant. @param more - `retries`: 0 where no is an answer */
export const apiOf = (store?: string, more: { retries?: number } = {}): Api =>
  connect({ baseUrl: location.origin, apiKey: '', ...(store === undefined ? {} : { store }), ...more });

export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async ({ signal }) => unwrap(await session(apiOf()).get({ signal })),
  staleTime: 60_000,
});

export const useSession = () => useQuery(sessionQuery);

/** The store that the address names, with the API as seen from it. */
export interface Store extends StoreOfSession {
  api: Api;
}

export const StoreContext = createContext<Store | null>(null);

/** The store of this page. @throws Error outside of one */
export function useStore(): Store {
  const store = useContext(StoreContext);
  if (store === null) throw new Error('no store: this page lies outside of /app/{store}');
  return store;
}

/** Sign in, and come back to where one was. */
export const goToSignIn = (): void => location.assign(`/sign-in?to=${encodeURIComponent(location.pathname + location.search)}`);

const lastKey = 'rekindle.store';

/** The store that was looked at last in this browser. */
export const lastStore = (): string | null => localStorage.getItem(lastKey);
export const keepLastStore = (slug: string): void => localStorage.setItem(lastKey, slug);
