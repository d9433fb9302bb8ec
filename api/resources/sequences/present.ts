import type { z } from 'zod';
import type { Draft } from '../../../operations/versions/draft.ts';
import type { DraftPreview } from '../../../operations/versions/publish.ts';
import type { SequenceView, VersionView } from '../../../operations/versions/read.ts';
import type { ShadowReport } from '../../../operations/shadow/shadows.ts';
import { isoTime, isoTimeOrNull } from '../../routes/fields.ts';
import type { draftSchema, previewSchema, sequenceSchema, shadowSchema, versionSchema } from './schemas.ts';

export const presentSequence = ({
  id,
  slug,
  name,
  about,
  status,
  paused,
  version,
  hasDraft,
  open,
}: SequenceView): z.input<typeof sequenceSchema> => ({
  ...{ id, slug, name, about, status, paused, version },
  has_draft: hasDraft,
  open_enrollments: open,
});

export function presentVersion({ version, publishedAtMs, publishedBy, open, running }: VersionView): z.input<typeof versionSchema> {
  const to = running !== null && 'to' in running ? running.to : null;
  const reason = running !== null && 'exit' in running ? running.exit : null;
  return {
    version,
    published_at: isoTime(publishedAtMs),
    published_by: publishedBy,
    open_enrollments: open,
    running: { choice: to !== null ? 'move' : reason !== null ? 'exit' : 'stay', to, reason },
  };
}

export const presentDraft = ({ slug, yaml, copy, sourceHash, changedBy, changedAtMs, findings }: Draft): z.input<typeof draftSchema> => ({
  ...{ slug, yaml, copy, findings },
  source_hash: sourceHash,
  changed_by: changedBy,
  changed_at: isoTime(changedAtMs),
});

export function presentPreview({ baseVersion, draft, diff, affected, waitedFor }: DraftPreview): z.input<typeof previewSchema> {
  return {
    base_version: baseVersion,
    draft: presentDraft(draft),
    steps: diff.steps.map((step, index) => ({ ...step, ...countsOf(affected.steps[index]) })),
    texts: diff.texts,
    settings: diff.settings,
    open_enrollments: affected.open,
    movable: affected.movable,
    choice_needed: waitedFor,
  };
}

const countsOf = (of: DraftPreview['affected']['steps'][number] | undefined) => ({ before: of?.before ?? 0, at: of?.at ?? 0, past: of?.past ?? 0 });

export const presentShadow = ({ version, startedAtMs, endedAtMs, runs, verdicts, differences }: ShadowReport): z.input<typeof shadowSchema> => ({
  ...{ version, runs, verdicts },
  started_at: isoTime(startedAtMs),
  ended_at: isoTimeOrNull(endedAtMs),
  differences: differences.map(({ enrollmentId, step, shadow, rehearsed, why, endedAs }) => ({
    enrollment: enrollmentId,
    ...{ step, why },
    shadow: presentStepEnd(shadow),
    rehearsed: presentStepEnd(rehearsed),
    ended_as: endedAs,
  })),
});

const presentStepEnd = (end: ShadowReport['differences'][number]['shadow']) =>
  end === null ? null : { kind: end.kind, reason: end.reason, after_seconds: Math.round(end.afterMs / 1_000) };
