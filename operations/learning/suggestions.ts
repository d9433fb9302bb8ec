import { createHash } from 'node:crypto';
import { and, desc, eq, inArray } from 'drizzle-orm';
import { hasCopy } from '../../content/channels/index.ts';
import type { Tx } from '../../db/client.ts';
import { experiments, sequences, suggestionDismissals } from '../../db/schema/index.ts';
import { wholeSequence } from '../../domain/experiments/variant.ts';
import { comparedIn } from '../../domain/experiments/take-over.ts';
import { isNewEvidence } from '../../domain/learning/dismissal.ts';
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
  return (await readAll(deps, tenantId, sinceMs)).filter(({ isDismissed }) => !isDismissed).map(({ suggestion }) => suggestion);
}

interface Read {
  suggestion: DraftedSuggestion;
  sequenceId: string;
  /** Somebody dismissed it, and what it rests on is the same. */
  isDismissed: boolean;
}

async function readAll(deps: Pick<Deps, 'db'>, tenantId: string, sinceMs: number): Promise<Read[]> {
  const dropOffs = await readDropOffs(deps, tenantId, sinceMs);
  return deps.db.withTenant(tenantId, async (tx) => {
    const found: Read[] = [];
    const dismissed = await tx.select().from(suggestionDismissals);
    for (const { sequence: slug, name, largest } of dropOffs) {
      if (largest === null) continue;
      const { sequence, inUse } = await readInUse(tx, slug);
      if (sequence === null || inUse === null || sequence.status === 'ARCHIVED') continue;
      const suggestion = suggestionFor(inUse.definition, largest, (step, channel) => hasCopy(inUse.content, step.content, channel));
      if (suggestion === null || (await wasCompared(tx, sequence.id, suggestion))) continue;
      const { draft, ...about } = suggestion;
      const { version } = inUse;
      const id = createHash('sha256').update([slug, version, about.step, about.kind].join('\n')).digest('hex').slice(0, 24);
      const before = dismissed.find((one) => one.sequenceId === sequence.id && one.stepId === about.step && one.kind === about.kind);
      found.push({
        suggestion: { ...about, id, sequence: slug, name, version, evidence: largest, file: sequenceFileOf(fileOfDefinition(draft)) },
        sequenceId: sequence.id,
        isDismissed: before !== undefined && !isNewEvidence(before.evidence, largest),
      });
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

/** A suggestion that somebody did not want. */
export interface Dismissal {
  sequence: string;
  step: string;
  kind: string;
  dismissedAtMs: number;
  /** As the audit log names them. */
  dismissedBy: string;
  reason: string;
  /** What it rested on. */
  n: number;
  rate: number;
}

/** The latest first. */
export function readDismissals(deps: Pick<Deps, 'db'>, tenantId: string): Promise<Dismissal[]> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const rows = await tx
      .select({ dismissal: suggestionDismissals, slug: sequences.slug })
      .from(suggestionDismissals)
      .innerJoin(sequences, eq(sequences.id, suggestionDismissals.sequenceId))
      .orderBy(desc(suggestionDismissals.dismissedAt));
    return rows.map(({ slug, dismissal: { stepId, kind, dismissedAt, dismissedBy, reason, evidence } }) => ({
      ...{ sequence: slug, step: stepId, kind, dismissedAtMs: dismissedAt, dismissedBy, reason, n: evidence.n, rate: evidence.rate },
    }));
  });
}

/**
 * Do not suggest this again while it rests on the same. @returns null: it is not suggested, or not any more
 * Source: docs/rules.md#rule-132
 */
export async function dismissSuggestion(
  deps: Pick<Deps, 'db' | 'clock'>,
  { tenantId, id, sinceMs, actor, reason }: { tenantId: string; id: string; sinceMs: number; actor: string; reason: string },
): Promise<Dismissal | null> {
  const found = (await readAll(deps, tenantId, sinceMs)).find(({ suggestion, isDismissed }) => suggestion.id === id && !isDismissed);
  if (found === undefined) return null;
  const { sequence, step, kind, evidence: now } = found.suggestion;
  const { n, rate, interval, because } = now;
  const dismissedAt = deps.clock.nowMs();
  const about = { evidence: { n, rate, interval, because }, dismissedAt, dismissedBy: actor, reason };
  await deps.db.withTenant(tenantId, async (tx) => {
    const { stepId, sequenceId } = { stepId: step, sequenceId: found.sequenceId };
    await tx
      .insert(suggestionDismissals)
      .values({ tenantId, sequenceId, stepId, kind, ...about })
      .onConflictDoUpdate({
        target: [suggestionDismissals.tenantId, suggestionDismissals.sequenceId, suggestionDismissals.stepId, suggestionDismissals.kind],
        set: about,
      });
    await recordAudit(tx, { tenantId, actor, action: 'suggestion.dismiss', subject: id, data: { sequence, step, kind, reason } });
  });
  return { sequence, step, kind, dismissedAtMs: dismissedAt, dismissedBy: actor, reason, n, rate };
}
