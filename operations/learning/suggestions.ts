import { createHash } from 'node:crypto';
import { and, eq, inArray } from 'drizzle-orm';
import { hasCopy } from '../../content/channels/index.ts';
import type { Tx } from '../../db/client.ts';
import { experiments } from '../../db/schema/index.ts';
import { wholeSequence } from '../../domain/experiments/variant.ts';
import { comparedIn } from '../../domain/experiments/take-over.ts';
import type { LargestDropOff } from '../../domain/learning/drop-off.ts';
import { type Suggestion, suggestionFor, suggestionKinds } from '../../domain/learning/suggestions.ts';
import { sequenceFileOf } from '../../domain/sequence/edit-file.ts';
import { fileOfDefinition } from '../../domain/sequence/file-of-definition.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { publishChange, readInUse } from '../versions/publish.ts';
import { readDropOffs } from './drop-offs.ts';

// For code that may not import `domain/`.
export { suggestionKinds };

/** A comparison that the store's figures suggest. It is a draft: nothing of it is in use. */
export interface DraftedSuggestion extends Omit<Suggestion, 'draft'> {
  /** The same for the same change of the same version. */
  id: string;
  sequence: string;
  name: string;
  /** The version in use, of which it is a change. */
  version: number;
  evidence: LargestDropOff;
  /** The whole sequence file with the comparison in it, YAML. */
  file: string;
}

/** What each sequence might try where it loses most; those that lose most first. @param sinceMs - by enrollments that were activated since then */
export async function readSuggestions(deps: Pick<Deps, 'db'>, tenantId: string, sinceMs: number): Promise<DraftedSuggestion[]> {
  const dropOffs = await readDropOffs(deps, tenantId, sinceMs);
  return deps.db.withTenant(tenantId, async (tx) => {
    const found: DraftedSuggestion[] = [];
    for (const { sequence: slug, name, largest } of dropOffs) {
      if (largest === null) continue;
      const { sequence, inUse } = await readInUse(tx, slug);
      if (sequence === null || inUse === null || sequence.status === 'ARCHIVED') continue;
      const suggestion = suggestionFor(inUse.definition, largest, (step, channel) => hasCopy(inUse.content, step.content, channel));
      if (suggestion === null || (await wasCompared(tx, sequence.id, suggestion))) continue;
      const { draft, ...about } = suggestion;
      const { version } = inUse;
      const id = createHash('sha256').update([slug, version, about.step, about.kind].join('\n')).digest('hex').slice(0, 24);
      found.push({ ...about, id, sequence: slug, name, version, evidence: largest, file: sequenceFileOf(fileOfDefinition(draft)) });
    }
    return found;
  });
}

/** What was compared once is not suggested again: the answer stands in the test. */
async function wasCompared(tx: Tx, sequenceId: string, { draft, step }: Suggestion): Promise<boolean> {
  const known = await tx
    .select({ shares: experiments.shares })
    .from(experiments)
    .where(and(eq(experiments.sequenceId, sequenceId), inArray(experiments.stepId, [wholeSequence, step])));
  const armsOf = (shares: Readonly<Record<string, number>>) => Object.keys(shares).toSorted().join();
  const drafted = comparedIn(draft).map(({ shares }) => armsOf(shares));
  return known.some(({ shares }) => drafted.includes(armsOf(shares)));
}

export type SuggestionApproved =
  | { kind: 'approved'; sequence: string; version: number }
  /** It is not suggested any more: somebody published, compares something, or the figures are others. */
  | { kind: 'unknown' }
  /** The version cannot be made, or somebody published meanwhile. */
  | { kind: 'refused'; why: string };

/** Publish the comparison, for new enrollments. The test begins with the first person who is assigned, and ends as every test does. */
export async function approveSuggestion(
  deps: Pick<Deps, 'db' | 'subjects' | 'kickRelay'>,
  { tenantId, id, sinceMs, actor }: { tenantId: string; id: string; sinceMs: number; actor: string },
): Promise<SuggestionApproved> {
  const suggestion = (await readSuggestions(deps, tenantId, sinceMs)).find((one) => one.id === id);
  if (suggestion === undefined) return { kind: 'unknown' };
  const { sequence: slug, version, kind, step, evidence } = suggestion;
  const { inUse } = await deps.db.withTenant(tenantId, (tx) => readInUse(tx, slug));
  const noted = { suggestion: id, kind, step };
  const published = await publishChange(
    deps,
    { tenantId, slug, baseVersion: version, running: 'stay', actor },
    (before) => suggestionFor(before, evidence, (one, channel) => hasCopy(inUse?.content ?? {}, one.content, channel))?.draft ?? null,
    {
      stillWanted: () => Promise.resolve(true),
      published: (tx, made) =>
        recordAudit(tx, { tenantId, actor, action: 'suggestion.approve', subject: id, data: { sequence: slug, version: made, kind, step } }),
      noted,
    },
  );
  return published.kind === 'published' ? { kind: 'approved', sequence: slug, version: published.version } : { kind: 'refused', why: published.kind };
}
