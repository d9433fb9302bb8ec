import { and, eq, inArray, sql } from 'drizzle-orm';
import { messages, offerCodes, offers, sequences, enrollments } from '../../db/schema/index.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { type Page, type PageWanted, readList, readSorted } from '../read/page.ts';
import { closeCode } from './close-codes.ts';
import { lockGrants } from './locks.ts';
import { minterOf } from './minter.ts';

/** A grant with the sequence whose step brought it. */
export type GrantRow = typeof offers.$inferSelect & { sequence: string };

export interface GrantSearch {
  /** The whole code. */
  code?: string | undefined;
  state?: 'granted' | 'minted' | 'refused' | 'revoked' | undefined;
}

/** The latest first. */
export function listGrants({ db }: Pick<Deps, 'db'>, tenantId: string, search: GrantSearch, page: PageWanted): Promise<Page<GrantRow>> {
  return readList({ db }, tenantId, async (tx) => {
    const { items, next } = await readSorted(page, { usual: 'newest', id: offers.id, columns: { ends_at: offers.endsAt } }, (part) =>
      tx
        .select({ id: offers.id, sortedBy: part.sortedBy, offer: offers, sequence: sequences.slug })
        .from(offers)
        .innerJoin(enrollments, and(eq(enrollments.tenantId, offers.tenantId), eq(enrollments.id, offers.enrollmentId)))
        .innerJoin(sequences, and(eq(sequences.tenantId, enrollments.tenantId), eq(sequences.id, enrollments.sequenceId)))
        .where(
          and(
            part.where,
            search.code === undefined ? undefined : eq(offers.code, search.code.trim().toUpperCase()),
            search.state === undefined ? undefined : eq(offers.state, search.state),
          ),
        )
        .orderBy(...part.orderBy)
        .limit(part.limit),
    );
    return { items: items.map(({ offer, sequence }) => ({ ...offer, sequence })), next };
  });
}

export type Revoked =
  | { kind: 'not_found' }
  /** It was redeemed, or could not be made: nothing is left to take back. */
  | { kind: 'over'; reason: 'redeemed' | 'refused' }
  /** `sent`: the person may have the code. `atShop`: whether the shop has closed it; a shop that is away does later, and codes of the pool the store closes there itself. */
  | { kind: 'revoked'; grant: GrantRow; sent: boolean; atShop: boolean };

/** Take a grant back by hand. */
export async function revokeGrant(deps: Deps, { tenantId, id, actor }: { tenantId: string; id: string; actor: string }): Promise<Revoked> {
  const revoked = await deps.db.withTenant(
    tenantId,
    async (tx): Promise<Exclude<Revoked, { atShop: boolean }> | { kind: 'revoked'; sent: boolean }> => {
      // As grants do: none of the store is decided meanwhile.
      await lockGrants(tx, tenantId);
      const [found] = await tx.select().from(offers).where(eq(offers.id, id)).for('no key update');
      if (found === undefined) return { kind: 'not_found' };
      if (found.redeemedAt !== null) return { kind: 'over', reason: 'redeemed' };
      if (found.state === 'refused') return { kind: 'over', reason: 'refused' };
      const gone = await tx
        .select({ id: messages.id })
        .from(messages)
        .where(
          and(
            eq(messages.enrollmentId, found.enrollmentId),
            eq(messages.stepId, found.stepId),
            inArray(messages.state, ['claimed', 'sent', 'unknown']),
          ),
        );
      const sent = gone.length > 0;
      if (found.state !== 'revoked') {
        await tx
          .update(offers)
          .set({ state: 'revoked', revokedAt: sql`clock_timestamp()`, note: `by ${actor}` })
          .where(eq(offers.id, id));
        // A code that may be in somebody's hands is given to nobody else.
        if (!sent) await tx.update(offerCodes).set({ offerId: null }).where(eq(offerCodes.offerId, id));
        await recordAudit(tx, { tenantId, actor, action: 'offer.revoke', subject: id, data: { sent } });
      }
      return { kind: 'revoked', sent };
    },
  );
  if (revoked.kind !== 'revoked') return revoked;
  const { items } = await listGrants(deps, tenantId, {}, { limit: 1, after: nextOf(id) });
  const [grant] = items;
  if (grant === undefined) return { kind: 'not_found' };
  return { kind: 'revoked', grant, sent: revoked.sent, atShop: await closeNow(deps, tenantId, grant) };
}

/** Tell the shop at once. Where it is away, or may be making the code just now, the sweep does it (`close-codes.ts`). */
async function closeNow(deps: Deps, tenantId: string, grant: GrantRow): Promise<boolean> {
  if (grant.source === 'pool') return false;
  if (grant.closedAtShop !== null) return true;
  if (grant.askedAt !== null) return false;
  const minter = grant.connectionId === null ? null : await minterOf(deps, tenantId, grant.connectionId, { closing: true });
  return closeCode(deps, tenantId, grant, minter);
}

/** The smallest id after this one, so that a page of one begins with it. */
function nextOf(id: string): string {
  const next = (BigInt(`0x${id.replaceAll('-', '')}`) + 1n).toString(16).padStart(32, '0');
  return next.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
