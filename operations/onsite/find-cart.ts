import { and, eq, inArray, isNull } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { connections, subjectKeys, subjects } from '../../db/schema/index.ts';
import type { Deps } from '../deps.ts';
import { isProof } from './proof.ts';

/** A cart as a page names it. Untrusted. */
export interface NamedCart {
  cart: string;
  /** Where ids can be guessed (`proofOf`); null: the page brings none. */
  proof: string | null;
}

/** The kind under which the keys of a shop's own system are stored. */
const ownKind = 'external';

/**
 * The subject that a page has before it. A cart counts as named where its key is one that only its visitor's browser knows, or where the page proves that
 * the shop made it for this cart.
 * @returns null: no such cart, or not proven; a caller cannot tell which
 */
export async function findCart(tx: Tx, { integrations, sealing }: Pick<Deps, 'integrations' | 'sealing'>, named: NamedCart): Promise<string | null> {
  const sources = await tx
    .select({ id: connections.id, integration: connections.integration, secrets: connections.secrets })
    .from(connections)
    .where(isNull(connections.removedAt));
  const secretKinds = (integration: string) => integrations[integration]?.secretKeys ?? [];
  const receiving = sources.filter(({ integration }) => integrations[integration]?.receiver !== undefined);
  if (receiving.length === 0) return null;
  // Shopify's cart API adds a parameter to the token that its webhooks leave out.
  const values = [...new Set([named.cart, named.cart.replace(/\?key=.*$/s, '')])];
  const found = await tx
    .select({ subjectId: subjectKeys.subjectId, connectionId: subjectKeys.connectionId, kind: subjectKeys.kind, value: subjectKeys.value })
    .from(subjectKeys)
    .innerJoin(subjects, and(eq(subjects.tenantId, subjectKeys.tenantId), eq(subjects.id, subjectKeys.subjectId)))
    .where(
      and(
        inArray(
          subjectKeys.connectionId,
          receiving.map(({ id }) => id),
        ),
        inArray(subjectKeys.kind, [...new Set([ownKind, ...receiving.flatMap(({ integration }) => secretKinds(integration))])]),
        inArray(subjectKeys.value, values),
      ),
    );
  const proven = found.find(({ connectionId, kind, value }) => {
    const source = receiving.find(({ id }) => id === connectionId);
    if (source === undefined) return false;
    if (secretKinds(source.integration).includes(kind)) return true;
    if (named.proof === null) return false;
    return isProof(
      source.secrets.map((sealed) => sealing.open(sealed)),
      value,
      named.proof,
    );
  });
  return proven?.subjectId ?? null;
}
