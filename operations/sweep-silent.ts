import { and, eq, sql } from 'drizzle-orm';
import { CommitUnclearError, isLockFailure, type TenantSummary, type Tx } from '../db/client.ts';
import { sequences, sequenceVersions, subjects } from '../db/schema/index.ts';
import { isAboutSilentLead, silentAfterMs } from '../domain/people/silence.ts';
import type { SequenceDefinition } from '../domain/sequence/definition.ts';
import type { NoSequenceReason } from '../domain/subjects/no-sequence.ts';
import { beginSequences } from './effects/rules/begin.ts';
import type { Deps } from './deps.ts';
import { draftOf } from './enroll-by-hand.ts';
import { turnOf, noteSwept } from './sweep-interval.ts';
import { MovedError } from './intake/found.ts';
import { writesOf, writeWorld } from './intake/writes.ts';

export interface SweepOptions {
  /** How many leads of each store are examined at most, where it says nothing itself. */
  most: number;
  /** In how many seconds the next one comes, for the log. */
  everySeconds: number;
  /** Aborted when the process ends: the lead in hand is finished, and no other is begun. */
  signal?: AbortSignal;
  /** Called for every lead, so that a long sweep does not look dead. */
  onProgress?: () => void;
}

/** `found`: silent leads without a sequence; `begun`: of these, those that are in one now; `failed`: those whose error is in the log. */
export interface SweepReport {
  found: number;
  begun: number;
  failed: number;
}

/**
 * Find the silent leads that no event has brought into their sequence: those of before the sequence was there or resumed, and those whose address came
 * later. It only begins what the rules of every beginning allow; each lead then sleeps in its own workflow, and every message is decided there.
 * A store whose own interval has not passed is left to a later pass. Never examined leads come first, then the longest silent; what could not begin is examined again after a day.
 * Source: docs/rules.md#rule-62
 */
export async function sweepSilent(deps: Deps, { most, everySeconds, signal, onProgress }: SweepOptions): Promise<SweepReport> {
  deps.log.info({ most }, 'scan for silent leads begun');
  const report: SweepReport = { found: 0, begun: 0, failed: 0 };
  const ends = () => signal?.aborted === true;
  for (const tenant of await deps.db.listTenants()) {
    if (ends()) break;
    let candidates: string[];
    try {
      const turn = await turnOf(deps, tenant, 'silent', { everySeconds, most });
      if (turn === 0) continue;
      candidates = await findSilent(deps, tenant, turn);
    } catch (error) {
      deps.log.error({ tenant: tenant.slug, err: error }, 'the silent leads of a store could not be read');
      continue;
    }
    report.found += candidates.length;
    for (const subjectId of candidates) {
      if (ends()) break;
      onProgress?.();
      const taken = await takeUp(deps, tenant, subjectId);
      if (taken === 'begun') report.begun++;
      if (taken === 'failed') report.failed++;
    }
    if (!ends()) await noteSwept(deps, tenant, 'silent');
  }
  deps.log.info({ found: report.found }, 'silent leads found');
  deps.log.info({ succeeded: report.begun, failed: report.failed, total: report.found }, 'batch of silent leads finished');
  deps.log.info({ seconds: everySeconds }, 'sleeping until the next scan for silent leads');
  if (report.begun > 0) deps.kickRelay();
  return report;
}

/** The longest silent leads that are in no sequence about this silence. */
function findSilent(deps: Pick<Deps, 'db' | 'versions' | 'subjects'>, tenant: TenantSummary, most: number): Promise<string[]> {
  return deps.db.withTenant(tenant.id, async (tx) => {
    const kinds = deps.subjects.all.flatMap(({ kind, silentTrigger }) => (silentTrigger === undefined ? [] : [kind]));
    const about = await silentSequences(tx);
    if (kinds.length === 0 || about.sequenceIds.length === 0) return [];
    const scale = tenant.timeScale;
    // The last contact, as `lastContactOf` has it. What is certain not to begin is left out here, so that it takes nobody's place.
    const { rows } = await tx.$client.query<{ id: string }>({
      text: `select s.id from subjects s
          join contacts c on c.tenant_id = s.tenant_id and c.id = s.contact_id
          join contacts p on p.tenant_id = c.tenant_id and p.id = c.person_id
          cross join lateral (select greatest(s.last_activity_at, s.last_contact_at, s.contacted_at, p.last_reply_at, p.last_contacted_at) as at) last
        where s.kind = any($1::text[]) and s.state = 'open' and p.lifecycle not in ('DO_NOT_CONTACT', 'REJECTED')
          and s.last_activity_at < clock_timestamp() - make_interval(secs => $2::float8)
          and last.at < clock_timestamp() - make_interval(secs => $2::float8)
          and last.at > clock_timestamp() - make_interval(secs => $3::float8)
          and (s.swept_at is null or s.swept_at < clock_timestamp() - make_interval(secs => $2::float8))
          and not exists (
            select from enrollments e where e.tenant_id = s.tenant_id and e.subject_id = s.id and e.sequence_id = any($4::uuid[])
              and (e.ended_at is null or (e.activated_at is not null and e.anchor_at >= last.at)))
        order by s.swept_at is not null, last.at, s.id
        limit $5`,
      values: [kinds, silentAfterMs / scale / 1_000, about.maxAgeMs / scale / 1_000, about.sequenceIds, most],
    });
    return rows.map(({ id }) => id);
  });
}

/** The sequences about silences that take people in by themselves, and how old a silence may be for the most patient of them. */
async function silentSequences(tx: Tx): Promise<{ sequenceIds: string[]; maxAgeMs: number }> {
  const rows = await tx
    .select({ id: sequences.id, definition: sequenceVersions.definition })
    .from(sequences)
    .innerJoin(sequenceVersions, eq(sequenceVersions.id, sequences.currentVersionId))
    .where(and(eq(sequences.status, 'ACTIVE'), eq(sequences.paused, false)));
  const about = rows.filter(({ definition }) => isAboutSilentLead(definition));
  return { sequenceIds: about.map(({ id }) => id), maxAgeMs: Math.max(0, ...about.map(({ definition }) => definition.maxAgeMs)) };
}

const mostAttempts = 5;

/** Begin what may begin about one lead, in a transaction of its own. An error of one never stops the others. */
async function takeUp(deps: Deps, tenant: TenantSummary, subjectId: string): Promise<'begun' | 'kept' | 'failed'> {
  try {
    return (await takeUpSilent(deps, tenant.id, subjectId)).begun === null ? 'kept' : 'begun';
  } catch (error) {
    deps.log.error({ tenant: tenant.slug, subjectId, err: error }, 'a silent lead could not be taken up');
    // Others come first next time.
    await deps.db.withTenant(tenant.id, (tx) => markSwept(tx, subjectId)).catch(() => undefined);
    return 'failed';
  }
}

/** What has begun about a lead, or why nothing has. */
export interface TakenUp {
  /** The enrollment's id. */
  begun: string | null;
  reason: NoSequenceReason | null;
}

/**
 * Begin the sequence about a lead's silence, by the rules of every beginning.
 * @param slug - the one that is asked for; absent: any
 */
export function takeUpSilent(deps: Deps, tenantId: string, subjectId: string, slug?: string): Promise<TakenUp> {
  return takeUpAbout(
    deps,
    tenantId,
    subjectId,
    (definition) => isAboutSilentLead(definition) && (slug === undefined || definition.sequence === slug),
  );
}

/** The same of any silence. @param isWanted - which sequences are asked for */
export async function takeUpAbout(
  deps: Deps,
  tenantId: string,
  subjectId: string,
  isWanted: (definition: SequenceDefinition) => boolean,
): Promise<TakenUp> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await deps.db.withTenant(tenantId, async (tx) => {
        const draft = await draftOf(tx, deps, { tenantId, subjectId });
        const subject = draft?.findSubject(subjectId) ?? null;
        const owner = draft?.findContact(subject?.contactId ?? null) ?? null;
        await markSwept(tx, subjectId);
        // It was bought, or has lost its owner, since it was found.
        if (draft === null || subject === null || owner === null) return { begun: null, reason: 'unknown_person' };
        if (subject.state !== 'open') return { begun: null, reason: subject.state === 'converted' ? 'bought' : 'gone' };
        const { begun, keptFrom } = beginSequences(draft, { subject, owner }, isWanted);
        const [first] = begun;
        if (first === undefined) return { begun: null, reason: keptFrom[0]?.reason ?? 'no_sequence' };
        draft.moveLifecycle(owner.id, 'begun');
        writeWorld(tx, writesOf(draft));
        return { begun: first.id, reason: null };
      });
    } catch (error) {
      const again = error instanceof MovedError || error instanceof CommitUnclearError || isLockFailure(error);
      if (!again || attempt >= mostAttempts) throw error;
    }
  }
}

async function markSwept(tx: Tx, subjectId: string): Promise<void> {
  await tx.update(subjects).set({ sweptAt: sql`clock_timestamp()` }).where(eq(subjects.id, subjectId));
}
