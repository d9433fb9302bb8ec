import { members } from '../../sdk/index.ts';
import { useStoreQuery } from '../session/store-query.ts';

/** What people of the team are called, by what the API says who did something: `person:<id>`. Empty until they are known. */
export function useTeamNames(): ReadonlyMap<string, string> {
  const team = useStoreQuery(['members', 'names'], (api, signal) => members(api).list({ limit: 200 }, { signal }));
  return new Map(team.data?.data.map(({ id, name }) => [`person:${id}`, name]));
}
