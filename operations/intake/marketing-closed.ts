import type { Tx } from '../../db/client.ts';
import type { VersionCache } from '../dispatch/versions.ts';
import { isClosedEverywhere } from '../effects/rules/suppressions.ts';
import { type DecisionContext, Draft } from './draft.ts';
import { nothingBesides, readSuppressions, readWorld } from './read-world.ts';

/** Whether all marketing to a person is closed now. Takes no locks: for pages, not for decisions. */
export async function isMarketingClosed(tx: Tx, versions: VersionCache, context: DecisionContext, personId: string): Promise<boolean> {
  const found = { named: [personId], reached: [personId], near: [], crowded: [], subjects: [] };
  const world = await readWorld(tx, versions, found, nothingBesides);
  const suppressions = await readSuppressions(tx, context, world.identities);
  return isClosedEverywhere(new Draft({ ...world, suppressions }, context), personId);
}
