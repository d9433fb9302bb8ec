import type { Data, Result } from '../../sdk/index.ts';
import { health } from '../../sdk/index.ts';
import { apiOf } from './session.ts';
import { useStoreQuery } from './store-query.ts';

export type Health = Data<'GET /healthz'>;

/** How every part of the installation does. Where one is down the answer is 503, and says so all the same. */
export const useHealth = () =>
  useStoreQuery<Health>(
    ['health'],
    async (_api, signal): Promise<Result<Health>> => {
      const answer = await health(apiOf(undefined, { retries: 0 })).get({ signal });
      return answer.error !== null && isHealth(answer.error.body) ? { data: answer.error.body, error: null } : answer;
    },
    { live: true },
  );

const isHealth = (body: unknown): body is Health => typeof body === 'object' && body !== null && 'parts' in body && 'problems' in body;
