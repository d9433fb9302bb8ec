import { desc, eq, and, inArray } from 'drizzle-orm';
import { subjects } from '../db/schema/index.ts';
import { type MarketTriggerReport, factOfTrigger, marketTriggerReport } from '../domain/facts/market-trigger.ts';
import { readTable } from './csv/table.ts';
import type { ReachedStage, SilenceStage } from '../domain/people/silence-stage.ts';
import { lead } from '../domain/subjects/lead/index.ts';
import type { Deps } from './deps.ts';
import { type FactsStored, storeFacts } from './facts.ts';
import { readAbandonment } from './read/abandonment.ts';
import { type Search, subjectsFound } from './read/find-enrollments.ts';
import { takeUpSilent } from './sweep-silent.ts';

// For code that may not import `domain/`.
export { marketTriggerReport };

const columns = ['trigger', 'area', 'statement', 'date', 'source', 'expires_at'];

export type TriggersRead =
  | { ok: true; triggers: MarketTriggerReport[] }
  /** By line of the file, the header's is 1. */
  | { ok: false; mistakes: { line: number; field: string; message: string }[] };

/** Read the triggers of a CSV file whose header names their fields. All of it is read, or every mistake is named. */
export function triggersOfCsv(text: string, most: number): TriggersRead {
  const read = readTable(text, columns);
  if (!read.ok) return { ok: false, mistakes: [{ ...read.mistake, field: 'csv' }] };
  if (read.rows.length > most) return { ok: false, mistakes: [{ line: 1, field: 'csv', message: `has more than ${most} rows: send it in parts` }] };
  const triggers: MarketTriggerReport[] = [];
  const mistakes: { line: number; field: string; message: string }[] = [];
  for (const { line, cells } of read.rows) {
    const parsed = marketTriggerReport.safeParse(cells);
    if (parsed.success) triggers.push(parsed.data);
    else mistakes.push(...parsed.error.issues.map((issue) => ({ line, field: String(issue.path[0] ?? 'csv'), message: issue.message })));
  }
  return mistakes.length === 0 ? { ok: true, triggers } : { ok: false, mistakes };
}

/** Store triggers as facts: all of them or none. A repeat changes nothing. */
export function storeMarketTriggers(
  deps: Pick<Deps, 'db' | 'clock'>,
  tenantId: string,
  triggers: readonly MarketTriggerReport[],
): Promise<FactsStored> {
  const nowMs = deps.clock.nowMs();
  return storeFacts(
    deps,
    tenantId,
    triggers.map((trigger) => factOfTrigger(trigger, nowMs)),
  );
}

/** Whose recovery is asked for, at which stage, and with the texts of which sequence; null: of any that is about silences. */
export interface AbandonmentTrigger {
  search: Search;
  stage: ReachedStage;
  template: string | null;
}

export type AbandonmentTriggered =
  | { kind: 'begun'; leadId: string; enrollmentId: string }
  | { kind: 'unreadable'; field: 'email' | 'phone' }
  | { kind: 'unknown_lead' }
  /** The lead has been silent for another while than was said. */
  | { kind: 'other_stage'; leadId: string; stage: SilenceStage }
  /** A rule forbids it. */
  | { kind: 'kept'; leadId: string; reason: string };

/**
 * Take up a silent lead now, without waiting for the sweep. It begins what every beginning allows and decides nothing itself: the message of the stage is
 * sent by the sequence, with all of its gates. Of several leads of a person, it is about the one that they asked about last.
 */
export async function triggerRecovery(deps: Deps, tenantId: string, { search, stage, template }: AbandonmentTrigger): Promise<AbandonmentTriggered> {
  const found = await deps.db.withTenant(tenantId, async (tx) => {
    const searched = await subjectsFound(tx, tenantId, search);
    if (searched.kind === 'unreadable' || searched.found.length === 0) return searched;
    const rows = await tx
      .select({ id: subjects.id })
      .from(subjects)
      .where(and(inArray(subjects.id, searched.found), eq(subjects.kind, lead.kind)))
      .orderBy(desc(subjects.lastActivityAt), desc(subjects.id))
      .limit(1);
    return { kind: 'found' as const, found: rows.map(({ id }) => id) };
  });
  if (found.kind === 'unreadable') return found;
  const [leadId] = found.found;
  const silence = leadId === undefined ? null : await readAbandonment(deps, tenantId, leadId);
  if (leadId === undefined || silence === null) return { kind: 'unknown_lead' };
  if (silence.stage !== stage) return { kind: 'other_stage', leadId, stage: silence.stage };
  const { begun, reason } = await takeUpSilent(deps, tenantId, leadId, template ?? undefined);
  if (begun === null) return { kind: 'kept', leadId, reason: reason ?? 'no_sequence' };
  deps.kickRelay();
  return { kind: 'begun', leadId, enrollmentId: begun };
}
