import { and, asc, desc, eq, inArray, isNull, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../../db/client.ts';
import { sequences, sequenceVersions, shadowDecisions, shadowRuns, shadows } from '../../db/schema/index.ts';
import type { Verdict } from '../../domain/gates/verdict.ts';
import type { SequenceDefinition } from '../../domain/sequence/definition.ts';
import { compareShadow, type Difference, type StepEnd } from '../../domain/versions/compare-shadow.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { lockSequence, storeVersionOf } from '../publish-sequence.ts';
import { compileDraft, loadDraft, type SourceFault } from '../versions/draft.ts';

export type ShadowStarted =
  | { kind: 'started' }
  | { kind: 'no_draft' }
  | { kind: 'invalid'; faults: SourceFault[] }
  /** One runs already. */
  | { kind: 'running' }
  /** No published sequence is started by the same trigger, so nothing happens beside which it could run. */
  | { kind: 'nothing_beside' };

type ShadowsDeps = Pick<Deps, 'db' | 'subjects'>;

/** Publish the draft of a sequence as a version that nobody is taken into, and let it decide beside those who are taken into the version in use. */
export async function startShadow(
  deps: ShadowsDeps,
  { tenantId, slug, actor }: { tenantId: string; slug: string; actor: string },
): Promise<ShadowStarted> {
  const known = await deps.db.withTenant(tenantId, async (tx) => ({ draft: await loadDraft(tx, deps, slug), content: await contentOf(tx, slug) }));
  if (known.draft === null) return { kind: 'no_draft' };
  const compiled = await compileDraft(deps, slug, known.draft, known.content);
  if ('faults' in compiled) return { kind: 'invalid', faults: compiled.faults };
  return deps.db.withTenant(tenantId, async (tx): Promise<ShadowStarted> => {
    const sequence = await lockSequence(tx, tenantId, compiled.definition, 'DRAFT');
    if ((await openShadow(tx, sequence.id)) !== undefined) return { kind: 'running' };
    const besideId = sequence.currentVersionId === null ? await sequenceStartedBy(tx, compiled.definition) : sequence.id;
    if (besideId === null) return { kind: 'nothing_beside' };
    const { id: versionId, version } = await storeVersionOf(tx, sequence, compiled, actor);
    await tx.insert(shadows).values({ tenantId, id: uuidv7(), sequenceId: sequence.id, versionId, besideId, startedBy: actor });
    await recordAudit(tx, { tenantId, actor, action: 'sequence.shadow', subject: sequence.id, data: { version } });
    return { kind: 'started' };
  });
}

/** @returns false where none runs */
export function stopShadow(deps: ShadowsDeps, { tenantId, slug, actor }: { tenantId: string; slug: string; actor: string }): Promise<boolean> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [sequence] = await tx.select({ id: sequences.id }).from(sequences).where(eq(sequences.slug, slug)).for('no key update');
    const open = sequence === undefined ? undefined : await openShadow(tx, sequence.id);
    if (open === undefined) return false;
    await tx.update(shadows).set({ endedAt: sql`clock_timestamp()` }).where(eq(shadows.id, open.id));
    await recordAudit(tx, { tenantId, actor, action: 'sequence.shadow_stopped', subject: open.sequenceId });
    return true;
  });
}

async function openShadow(tx: Tx, sequenceId: string) {
  return (
    await tx
      .select()
      .from(shadows)
      .where(and(eq(shadows.sequenceId, sequenceId), isNull(shadows.endedAt)))
  )[0];
}

async function contentOf(tx: Tx, slug: string): Promise<Record<string, unknown>> {
  const [found] = await tx
    .select({ content: sequenceVersions.content })
    .from(sequences)
    .innerJoin(sequenceVersions, eq(sequenceVersions.id, sequences.currentVersionId))
    .where(eq(sequences.slug, slug));
  return found?.content ?? {};
}

async function sequenceStartedBy(tx: Tx, { on, about }: SequenceDefinition): Promise<string | null> {
  const [found] = await tx
    .select({ id: sequences.id })
    .from(sequences)
    .innerJoin(sequenceVersions, eq(sequenceVersions.id, sequences.currentVersionId))
    .where(
      and(
        eq(sequences.status, 'ACTIVE'),
        sql`${sequenceVersions.definition} ->> 'on' = ${on}`,
        sql`${sequenceVersions.definition} ->> 'about' is not distinct from ${about ?? null}`,
      ),
    )
    .orderBy(asc(sequences.id))
    .limit(1);
  return found?.id ?? null;
}

/** What a shadow has decided so far, and where that differs from its rehearsals. */
export interface ShadowReport {
  version: number;
  startedAtMs: number;
  /** Null: it runs. */
  endedAtMs: number | null;
  runs: { all: number; ended: number; compared: number; same: number };
  verdicts: { verdict: Verdict['kind']; reason: string; count: number }[];
  /** The latest first, 100 at most. */
  differences: (Difference & { enrollmentId: string; why: string | null; endedAs: string | null })[];
}

const mostCompared = 1_000;
const mostDifferences = 100;
/** A background pass asks every few seconds, and a step that counts from the one before adds to that. */
const slackMs = 5 * 60_000;

/** @returns null where the sequence never had a shadow */
export function readShadow(deps: ShadowsDeps, tenantId: string, slug: string): Promise<ShadowReport | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [shadow] = await tx
      .select({ id: shadows.id, version: sequenceVersions.version, startedAt: shadows.startedAt, endedAt: shadows.endedAt })
      .from(shadows)
      .innerJoin(sequences, eq(sequences.id, shadows.sequenceId))
      .innerJoin(sequenceVersions, eq(sequenceVersions.id, shadows.versionId))
      .where(eq(sequences.slug, slug))
      .orderBy(desc(shadows.id))
      .limit(1);
    if (shadow === undefined) return null;
    const [count] = await tx
      .select({ all: sql<number>`count(*)::int`, ended: sql<number>`count(${shadowRuns.endedAt})::int` })
      .from(shadowRuns)
      .where(eq(shadowRuns.shadowId, shadow.id));
    const verdicts = await tx
      .select({ verdict: shadowDecisions.verdict, reason: shadowDecisions.reason, count: sql<number>`count(*)::int` })
      .from(shadowDecisions)
      .innerJoin(shadowRuns, eq(shadowRuns.id, shadowDecisions.runId))
      .where(eq(shadowRuns.shadowId, shadow.id))
      .groupBy(shadowDecisions.verdict, shadowDecisions.reason)
      .orderBy(shadowDecisions.verdict, shadowDecisions.reason);
    const compared = await compareRuns(tx, shadow.id);
    return {
      version: shadow.version,
      startedAtMs: shadow.startedAt,
      endedAtMs: shadow.endedAt,
      runs: { all: count?.all ?? 0, ended: count?.ended ?? 0, compared: compared.length, same: compared.filter((c) => c.length === 0).length },
      verdicts,
      differences: compared.flat().slice(0, mostDifferences),
    };
  });
}

/** The differences of each of the latest runs. */
async function compareRuns(tx: Tx, shadowId: string): Promise<ShadowReport['differences'][]> {
  const runs = await tx.select().from(shadowRuns).where(eq(shadowRuns.shadowId, shadowId)).orderBy(desc(shadowRuns.anchorAt)).limit(mostCompared);
  const ids = runs.map(({ id }) => id);
  const decided = await tx.select().from(shadowDecisions).where(inArray(shadowDecisions.runId, ids)).orderBy(asc(shadowDecisions.id));
  return runs.flatMap((run): ShadowReport['differences'][] => {
    if (run.rehearsed === null) return [];
    const own = decided.filter(({ runId }) => runId === run.id);
    const steps = own.flatMap(({ stepId, verdict, reason, at }): StepEnd[] => {
      if (verdict !== 'send' && verdict !== 'skip') return [];
      return [{ step: stepId, kind: verdict === 'send' ? 'sent' : 'skipped', reason, afterMs: at - run.anchorAt }];
    });
    const found = compareShadow({ steps, ended: run.endedAt !== null }, run.rehearsed, slackMs);
    return [found.map((one) => ({ ...one, enrollmentId: run.enrollmentId, endedAs: run.reason, why: whyOf(own, one.step) }))];
  });
}

/** The sentence of the gate that decided last about a step, or put it off. */
function whyOf(decided: readonly (typeof shadowDecisions.$inferSelect)[], stepId: string): string | null {
  const about = decided.filter((d) => d.stepId === stepId).toReversed();
  return about.flatMap(({ checks }) => checks.filter(({ result }) => result !== 'pass').flatMap(({ note }) => note ?? [])).at(0) ?? null;
}
