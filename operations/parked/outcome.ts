import { and, eq, isNull } from 'drizzle-orm';
import { enrollments, messages, sequences } from '../../db/schema/index.ts';
import type { Deps } from '../deps.ts';
import { type Outlets, outletsOf } from '../outlets.ts';
import { readExternalIds } from '../read/external-ids.ts';
import { beyond, byAge, type PageWanted } from '../read/page.ts';
import { stopByHand } from '../stop-one.ts';
import { nowhere, type ParkedItem, type ParkedKind } from './kind.ts';
import { notSetAside, setAside } from './set-aside.ts';

/** A message of which nobody can find out any more whether it was accepted. It counts as sent and is never repeated. */
export const outcome: ParkedKind = {
  async list(deps, tenantId, { one, ...page }) {
    const outlets = await outletsOf(deps, tenantId);
    const found: ParkedItem[] = [];
    for (let from = page.after; ; ) {
      const rows = await readUnknown(deps, tenantId, {
        ...page,
        limit: Math.max(page.limit, 50),
        after: from,
        ...(one === undefined ? {} : { one }),
      });
      const forGood = rows.filter((row) => !mayBeFoundOut(outlets, row, deps.clock.nowMs()));
      found.push(...forGood.map(({ item }) => item));
      const last = rows.at(-1);
      if (found.length >= page.limit || last === undefined || one !== undefined) return found.slice(0, page.limit);
      from = last.item.id;
    }
  },
  acts: {
    resume: async () => ({
      kind: 'refused',
      code: 'never_resent',
      detail:
        'It may have arrived, so it is never sent again, and the sequence goes on by itself. Ask the person or the provider; skip closes this, re-enroll starts the sequence anew.',
    }),
    skip: (deps, wish) => setAside(deps, 'outcome', wish),
    async cancel(deps, wish) {
      const { tenantId, id, actor, note } = wish;
      const [found] = await deps.db.withTenant(tenantId, (tx) =>
        tx.select({ enrollmentId: messages.enrollmentId }).from(messages).where(eq(messages.id, id)),
      );
      if (found === undefined) return { kind: 'unknown' };
      const stopped = await stopByHand(deps, { tenantId, enrollmentId: found.enrollmentId, note, actor });
      if (stopped.kind === 'busy') return { kind: 'busy' };
      return setAside(deps, 'outcome', wish);
    },
  },
};

interface Unknown {
  item: ParkedItem;
  account: string | null;
  channel: string | null;
  doubtSince: number | null;
  endedAt: number | null;
}

function readUnknown(deps: Deps, tenantId: string, { one, ...page }: PageWanted & { one?: string }): Promise<Unknown[]> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const rows = await tx
      .select({
        id: messages.id,
        step: messages.stepId,
        account: messages.account,
        channel: messages.channel,
        response: messages.response,
        doubtSince: messages.doubtSince,
        claimedAt: messages.claimedAt,
        enrollmentId: enrollments.id,
        subjectId: enrollments.subjectId,
        endedAt: enrollments.endedAt,
        sequence: sequences.slug,
      })
      .from(messages)
      .innerJoin(enrollments, and(eq(enrollments.tenantId, messages.tenantId), eq(enrollments.id, messages.enrollmentId)))
      .innerJoin(sequences, and(eq(sequences.tenantId, enrollments.tenantId), eq(sequences.id, enrollments.sequenceId)))
      .where(
        and(
          eq(messages.state, 'unknown'),
          eq(messages.live, false),
          // The provider can still be asked: the sweep does.
          isNull(messages.findFrom),
          notSetAside('outcome', messages.id),
          beyond(messages.id, 'oldest', page),
          one === undefined ? undefined : eq(messages.id, one),
        ),
      )
      .orderBy(byAge(messages.id, 'oldest', page))
      .limit(page.limit);
    const externalIds = await readExternalIds(
      tx,
      rows.map(({ subjectId }) => subjectId),
    );
    return rows.map(({ id, step, account, channel, response, doubtSince, claimedAt, enrollmentId, subjectId, endedAt, sequence }) => ({
      ...{ account, channel, doubtSince, endedAt },
      item: {
        id,
        kind: 'outcome',
        cause: 'outcome_unknown',
        sinceMs: doubtSince ?? claimedAt,
        sentence: `Nobody can say whether ${step} of ${sequence} was accepted${response === null ? '' : `: ${response}`}.`,
        advice:
          'It counts as sent and is never sent again; the sequence goes on. Look it up at the provider, then skip. Cancel ends the enrollment as well.',
        affected: { enrollments: 1, deliveries: 0 },
        actions: ['skip', 'cancel'],
        about: { ...nowhere, sequence, enrollmentId, step },
        externalIds: externalIds.get(subjectId) ?? [],
      },
    }));
  });
}

/** A provider with keys takes the same call again for as long as it knows the key (docs/fence.md, rule 4). */
function mayBeFoundOut(outlets: Outlets, { account, channel, doubtSince, endedAt }: Unknown, nowMs: number): boolean {
  const reconciliation = outlets.ofAccount(account, channel)?.sender.reconciliation;
  if (reconciliation?.kind !== 'keys' || endedAt !== null || doubtSince === null) return false;
  return nowMs - doubtSince < reconciliation.keyLifeMs - 3_600_000;
}
