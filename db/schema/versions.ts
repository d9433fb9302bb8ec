import { foreignKey, index, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { stopReasons } from '../../domain/sequence/plan.ts';
import { instantNow, tenantId, tenantPolicy } from './columns.ts';
import { sequences, sequenceVersions } from './sequences.ts';

/** What will be the next version of a sequence, as its author wrote it: one for each sequence, deleted when it is published. */
export const sequenceDrafts = pgTable(
  'sequence_drafts',
  {
    tenantId: tenantId(),
    sequenceId: uuid('sequence_id').notNull(),
    yaml: text('yaml').notNull(),
    /** Texts by content name. What is missing here is taken from the version in use. */
    copy: jsonb('copy').$type<Record<string, string>>().notNull(),
    /** SHA-256 over both: a publisher may name the draft that was looked at. */
    sourceHash: text('source_hash').notNull(),
    /** The campaign that uses the sequence once it is published, in the place of an active one; null: none waits for it. */
    campaignId: uuid('campaign_id'),
    changedAt: instantNow('changed_at'),
    changedBy: text('changed_by').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.sequenceId] }),
    foreignKey({ columns: [t.tenantId, t.sequenceId], foreignColumns: [sequences.tenantId, sequences.id], name: 'sequence_drafts_sequence_fk' }),
    tenantPolicy(),
  ],
);

/** What becomes of the enrollments that run on a version, at their next decision: another version, or an end. Without a row they stay (ADR 28). */
export const versionMoves = pgTable(
  'version_moves',
  {
    tenantId: tenantId(),
    versionId: uuid('version_id').notNull(),
    /** Null: they end, for `reason`. */
    toVersionId: uuid('to_version_id'),
    reason: text('reason', { enum: stopReasons }),
    decidedAt: instantNow('decided_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.versionId] }),
    index('version_moves_to').on(t.tenantId, t.toVersionId),
    foreignKey({
      columns: [t.tenantId, t.versionId],
      foreignColumns: [sequenceVersions.tenantId, sequenceVersions.id],
      name: 'version_moves_version_fk',
    }),
    foreignKey({
      columns: [t.tenantId, t.toVersionId],
      foreignColumns: [sequenceVersions.tenantId, sequenceVersions.id],
      name: 'version_moves_to_fk',
    }),
    tenantPolicy(),
  ],
);
