import { and, count, eq, inArray, isNull, sql } from 'drizzle-orm';
import { enrollments, sequences, sequenceVersions } from '../../db/schema/index.ts';
import { type Channel, channels } from '../../domain/channels/index.ts';
import { outletsOf } from '../outlets.ts';
import { changeState } from '../versions/change-state.ts';
import { beyond, byAge } from '../read/page.ts';
import { nowhere, type ParkedItem, type ParkedKind } from './kind.ts';
import { notSetAside, setAside } from './set-aside.ts';

const version = sql`':' || ${sequences.currentVersionId}::text`;

/** A sequence in which people are, and none of whose channels is connected: whatever it says reaches nobody. */
export const sequence: ParkedKind = {
  async list(deps, tenantId, { one, ...page }) {
    const outlets = await outletsOf(deps, tenantId);
    return deps.db.withTenant(tenantId, async (tx) => {
      const rows = await tx
        .select({ id: sequences.id, slug: sequences.slug, definition: sequenceVersions.definition, publishedAt: sequenceVersions.publishedAt })
        .from(sequences)
        .innerJoin(sequenceVersions, and(eq(sequenceVersions.tenantId, sequences.tenantId), eq(sequenceVersions.id, sequences.currentVersionId)))
        .where(
          and(
            eq(sequences.status, 'ACTIVE'),
            eq(sequences.paused, false),
            notSetAside('sequence', sequences.id, version),
            beyond(sequences.id, 'oldest', page),
            one === undefined ? undefined : eq(sequences.id, one),
          ),
        )
        .orderBy(byAge(sequences.id, 'oldest', page));
      const silent = rows.flatMap((row) => {
        const wanted = [...new Set(row.definition.steps.flatMap((step) => step.channels))].filter(reachesPeople);
        return wanted.length > 0 && wanted.every((channel) => outlets.forChannel(channel) === null) ? [{ ...row, wanted }] : [];
      });
      if (silent.length === 0) return [];
      const running = await tx
        .select({ id: enrollments.sequenceId, n: count() })
        .from(enrollments)
        .where(
          and(
            inArray(
              enrollments.sequenceId,
              silent.map(({ id }) => id),
            ),
            isNull(enrollments.endedAt),
          ),
        )
        .groupBy(enrollments.sequenceId);
      return silent
        .flatMap(({ id, slug, wanted, publishedAt }): ParkedItem[] => {
          const n = running.find((one) => one.id === id)?.n ?? 0;
          if (n === 0) return [];
          return [
            {
              id,
              kind: 'sequence',
              cause: 'no_channel',
              sinceMs: publishedAt,
              sentence: `${slug} reaches nobody: ${wanted.join(', ')} ${wanted.length === 1 ? 'is' : 'are'} not connected.`,
              advice: `Connect ${wanted.join(' or ')} (rekindle connections create), then resume says whether it can go on. Skip hides it until its next version; cancel archives the sequence: nobody is taken in any more.`,
              affected: { enrollments: n, deliveries: 0 },
              actions: ['resume', 'skip', 'cancel'],
              about: { ...nowhere, sequence: slug },
              externalIds: [],
            },
          ];
        })
        .slice(0, page.limit);
    });
  },
  acts: {
    // Asked only while it is parked: a channel that was connected meanwhile has taken it off the list.
    resume: async () => ({
      kind: 'refused',
      code: 'not_connected',
      detail: 'None of its channels is connected yet: rekindle connections create connects one.',
    }),
    async skip(deps, wish) {
      const [found] = await deps.db.withTenant(wish.tenantId, (tx) =>
        tx.select({ versionId: sequences.currentVersionId }).from(sequences).where(eq(sequences.id, wish.id)),
      );
      return found === undefined ? { kind: 'unknown' } : setAside(deps, 'sequence', wish, `${wish.id}:${found.versionId ?? ''}`);
    },
    async cancel(deps, { tenantId, id, actor, note }) {
      const [found] = await deps.db.withTenant(tenantId, (tx) => tx.select({ slug: sequences.slug }).from(sequences).where(eq(sequences.id, id)));
      if (found === undefined) return { kind: 'unknown' };
      await changeState(deps, { tenantId, slug: found.slug, change: 'archive', actor, note });
      return { kind: 'done' };
    },
  },
};

const reachesPeople = (channel: Channel) => channels[channel].purpose === 'marketing';
