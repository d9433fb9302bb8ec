import { createHash } from 'node:crypto';
import { and, desc, eq, inArray, isNotNull } from 'drizzle-orm';
import { hasCopy } from '../../content/channels/index.ts';
import type { Tx } from '../../db/client.ts';
import { experiments, sequences, suggestionDismissals } from '../../db/schema/index.ts';
import { wholeSequence } from '../../domain/experiments/variant.ts';
import { comparedIn } from '../../domain/experiments/take-over.ts';
import { type DismissedEvidence, isNewEvidence } from '../../domain/learning/dismissal.ts';
import { sellingHour } from '../../domain/learning/hours.ts';
import {
  atLearnedHour,
  delayFromTest,
  type Suggestion,
  suggestionFor,
  suggestionKinds,
  type SuggestionSource,
  suggestionSources,
} from '../../domain/learning/suggestions.ts';
import type { SequenceDefinition } from '../../domain/sequence/definition.ts';
import { isChannel } from '../../domain/channels/index.ts';
import { wilsonInterval } from '../../domain/statistics/proportions.ts';
import { sequenceFileOf } from '../../domain/sequence/edit-file.ts';
import { fileOfDefinition } from '../../domain/sequence/file-of-definition.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { publishChange, readInUse } from '../versions/publish.ts';
import { readDelays } from './delays.ts';
import { readDropOffs } from './drop-offs.ts';
import { readLearnedHours } from './hours.ts';

// For code that may not import `domain/`.
export { suggestionKinds, suggestionSources };

/** What a suggestion rests on. */
export interface Evidence extends DismissedEvidence {
  source: SuggestionSource;
  /** Of `n`, those whom `rate` is about: who left, or who converted. */
  cases: number;
  /** In sentences, for people. */
  advice: string;
  /** Of what is lost: whether it depends on the time of day; null: too few, or it is about something else. */
  byHoursP: number | null;
}

/** A comparison that the store's figures suggest. It is a draft: nothing of it is in use. */
export interface DraftedSuggestion extends Omit<Suggestion, 'draft'> {
  /** The same for the same change of the same version. */
  id: string;
  sequence: string;
  name: string;
  /** The version in use, of which it is a change. */
  version: number;
  evidence: Evidence;
  /** The whole sequence file with the comparison in it, YAML. */
  file: string;
}

/** What each sequence might try; those that lose most first. @param sinceMs - what is lost, by enrollments that were activated since then */
export async function readSuggestions(deps: Pick<Deps, 'db'>, tenantId: string, sinceMs: number): Promise<DraftedSuggestion[]> {
  return (await readAll(deps, tenantId, sinceMs)).filter(({ isDismissed }) => !isDismissed).map(({ suggestion }) => suggestion);
}

type HasText = Parameters<typeof suggestionFor>[2];

/** Something that the figures say about a sequence, and what it would make of a version. */
interface Cause {
  sequence: string;
  evidence: Evidence;
  draft(definition: SequenceDefinition, hasText: HasText): Suggestion | null;
}

interface Read {
  suggestion: DraftedSuggestion;
  cause: Cause;
  sequenceId: string;
  /** Somebody dismissed it, and what it rests on is the same. */
  isDismissed: boolean;
}

async function readAll(deps: Pick<Deps, 'db'>, tenantId: string, sinceMs: number): Promise<Read[]> {
  const causes = [...(await lossesOf(deps, tenantId, sinceMs)), ...(await delaysOf(deps, tenantId)), ...(await hoursOf(deps, tenantId))];
  return deps.db.withTenant(tenantId, async (tx) => {
    const found: Read[] = [];
    const dismissed = await tx.select().from(suggestionDismissals);
    for (const cause of causes) {
      const { sequence: slug, evidence } = cause;
      const { sequence, inUse } = await readInUse(tx, slug);
      if (sequence === null || inUse === null || sequence.status === 'ARCHIVED') continue;
      const suggestion = cause.draft(inUse.definition, (step, channel) => hasCopy(inUse.content, step.content, channel));
      if (suggestion === null || (await wasCompared(tx, sequence.id, suggestion))) continue;
      const { draft, ...about } = suggestion;
      // The same change for another reason is one suggestion.
      if (found.some(({ suggestion: other }) => other.sequence === slug && other.step === about.step && other.kind === about.kind)) continue;
      const { version } = inUse;
      const key = dismissalKey(about.kind, evidence.source);
      const id = createHash('sha256').update([slug, version, about.step, key].join('\n')).digest('hex').slice(0, 24);
      const before = dismissed.find((one) => one.sequenceId === sequence.id && one.stepId === about.step && one.kind === key);
      const isDismissed = before !== undefined && !isNewEvidence(before.evidence, evidence);
      const file = sequenceFileOf(fileOfDefinition(draft));
      found.push({
        suggestion: { ...about, id, sequence: slug, name: inUse.definition.name, version, evidence, file },
        cause,
        sequenceId: sequence.id,
        isDismissed,
      });
    }
    return found;
  });
}

/** What is dismissed for one reason may be suggested for another. */
const dismissalKey = (kind: Suggestion['kind'], source: SuggestionSource): string => (source === 'drop_off' ? kind : source);

async function lossesOf(deps: Pick<Deps, 'db'>, tenantId: string, sinceMs: number): Promise<Cause[]> {
  const dropOffs = await readDropOffs(deps, tenantId, sinceMs);
  return dropOffs.flatMap(({ sequence, largest }): Cause[] => {
    if (largest === null) return [];
    const { n, left, rate, interval, because, advice, byHoursP } = largest;
    return [
      {
        sequence,
        evidence: { source: 'drop_off', n, cases: left, rate, interval, because, advice, byHoursP },
        draft: (definition, hasText) => suggestionFor(definition, largest, hasText),
      },
    ];
  });
}

/** Delays that did significantly better in a test that is over. While it runs, the test itself says which is better. */
async function delaysOf(deps: Pick<Deps, 'db'>, tenantId: string): Promise<Cause[]> {
  const tests = await readDelays(deps, tenantId);
  return tests.flatMap(({ sequence, step, status, analysis, suggestion }): Cause[] => {
    const [own] = analysis.arms;
    const { better } = analysis;
    if (status === 'RUNNING' || suggestion === null || own === undefined || better === null || better.rate === null || better.interval === null)
      return [];
    const { people: n, converted: cases } = better.arm;
    const delays = { nowMs: own.arm.delayMs, betterMs: better.arm.delayMs };
    return [
      {
        sequence,
        evidence: {
          source: 'delay_test',
          n,
          cases,
          rate: better.rate,
          interval: better.interval,
          because: 'delay_test',
          advice: suggestion,
          byHoursP: null,
        },
        draft: (definition) => delayFromTest(definition, step, delays),
      },
    ];
  });
}

/** Hours at which a channel sells better, for the sequences that use it. */
async function hoursOf(deps: Pick<Deps, 'db'>, tenantId: string): Promise<Cause[]> {
  const learned = await readLearnedHours(deps, tenantId);
  const known = await deps.db.withTenant(tenantId, (tx) =>
    tx.select({ slug: sequences.slug }).from(sequences).where(isNotNull(sequences.currentVersionId)).orderBy(sequences.slug),
  );
  return learned.flatMap(({ channel, sends, conversions, rules }): Cause[] => {
    const best = sellingHour(rules);
    const interval = best === null ? null : wilsonInterval(best.converted, best.people);
    if (best === null || interval === null || !isChannel(channel)) return [];
    const { hour, days, people: n, converted: cases, chanceBetter } = best;
    const advice = `Of the messages by ${channel} that went out at ${hour}:00 on ${days.map((day) => dayNames[day]).join(', ')}, ${percent(cases / n)} sold, of all of them ${percent(conversions / sends)}; that hour is better with a chance of ${percent(chanceBetter)} at least. Who is written to at which hour was not drawn by chance for most: the comparison says whether the hour is the reason.`;
    const evidence: Evidence = { source: 'hours', n, cases, rate: cases / n, interval, because: `hours ${hour}`, advice, byHoursP: null };
    return known.map(({ slug }) => ({ sequence: slug, evidence, draft: (definition) => atLearnedHour(definition, { channel, hour }) }));
  });
}

const dayNames = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

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
  const found = (await readAll(deps, tenantId, sinceMs)).find(({ suggestion, isDismissed }) => suggestion.id === id && !isDismissed);
  if (found === undefined) return { kind: 'unknown' };
  const { sequence: slug, version, kind, step } = found.suggestion;
  const { inUse } = await deps.db.withTenant(tenantId, (tx) => readInUse(tx, slug));
  const noted = { suggestion: id, kind, step };
  const published = await publishChange(
    deps,
    { tenantId, slug, baseVersion: version, running: 'stay', actor },
    (before) => found.cause.draft(before, (one, channel) => hasCopy(inUse?.content ?? {}, one.content, channel))?.draft ?? null,
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
  const { sequence, step, evidence: now } = found.suggestion;
  const kind = dismissalKey(found.suggestion.kind, now.source);
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
