import { useMutation, useQueryClient, type UseMutationResult } from '@tanstack/react-query';
import type { Api, RekindleError, Result } from '../../sdk/index.ts';
import { unwrap } from '../../sdk/index.ts';
import { useStore } from './session.ts';

/** What is shown is new as a rule when an action is over. One slow answer, such as the health of a Temporal that is away, keeps no dialog open. */
const freshWithinMs = 500;

/** Something that is done in the store of this page. Afterwards everything that is shown of the store is asked again. */
export function useAction<In, Out>(act: (api: Api, given: In) => Promise<Result<Out>>): UseMutationResult<Out, RekindleError, In> {
  const { slug, api } = useStore();
  const client = useQueryClient();
  return useMutation<Out, RekindleError, In>({
    mutationFn: async (given) => unwrap(await act(api, given)),
    onSuccess: () =>
      Promise.race([client.invalidateQueries({ queryKey: ['store', slug] }), new Promise<void>((done) => setTimeout(done, freshWithinMs))]),
  });
}
