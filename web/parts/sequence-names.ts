import { sequences } from '../../sdk/index.ts';
import { useStoreQuery } from '../session/store-query.ts';
import { plain, sentenceCase } from './format.ts';

/** What the sequences of the store are called; one that is not known by its slug. */
export function useSequenceNames(): (slug: string) => string {
  const list = useStoreQuery(['sequences'], (api, signal) => sequences(api).list({ limit: 200 }, { signal }));
  const names = new Map(list.data?.data.map(({ slug, name }) => [slug, name]));
  return (slug) => names.get(slug) ?? sentenceCase(plain(slug));
}
