import type { Item } from '../../../sdk/index.ts';

type Lead = Item<'GET /api/leads'>;

/** How a lead is called here: by name, else by the address that they are known by. */
export function leadName({ firstName, lastName, email, phone }: Pick<Lead, 'firstName' | 'lastName' | 'email' | 'phone'>): string {
  const name = [firstName, lastName].filter((part) => part !== null && part !== '').join(' ');
  return name !== '' ? name : (email ?? phone ?? 'Somebody unknown');
}

const sources: Record<string, string> = {
  META: 'Facebook or Instagram',
  API: 'your own system',
  MANUAL: 'by hand',
  BULK: 'a file',
  TELEGRAM: 'Telegram',
};

export function sourceWord({ source, statedSource }: Pick<Lead, 'source' | 'statedSource'>): string {
  return sourceName(statedSource ?? source);
}

/** `META` → `Facebook or Instagram`; what a source states itself stays as it is. */
export const sourceName = (source: string): string => sources[source] ?? source;

/** As they are called here. */
export const knownSources: readonly string[] = Object.values(sources);

/** The way back: `facebook or instagram` → `META`. */
export const sourceOf = (name: string): string =>
  Object.entries(sources).find(([, known]) => known.toLowerCase() === name.toLowerCase())?.[0] ?? name;
