import { z } from 'zod';
import type { EpochMs } from '../sequence/plan.ts';
import { factKindNames, factKindOf, type FactKindName } from './index.ts';
import { line } from './kind.ts';

const longestSubject = 255;

/** A source says so. What is null was not stated. */
export interface ReportedFact {
  kind: FactKindName;
  subject: string;
  value: unknown;
  source: string | null;
  observedAtMs: EpochMs | null;
  expiresAtMs: EpochMs | null;
}

/** A fact that is to be stored. */
export interface NewFact {
  kind: FactKindName;
  subject: string;
  value: unknown;
  source: string;
  observedAtMs: EpochMs;
  expiresAtMs: EpochMs;
}

const instant = (example: string) => z.iso.datetime({ offset: true, error: `is no time like ${example}` });

const reportOf = (kind: FactKindName) =>
  z.strictObject({
    kind: z.literal(kind),
    subject: line(longestSubject).meta({ description: `What it is about: ${factKindOf(kind).about}.` }),
    value: factKindOf(kind).value,
    source: line(100).optional().meta({ description: 'Who says so.' }),
    observed_at: instant('2026-11-20T09:00:00Z')
      .optional()
      .meta({ description: 'When it was so; left out, now. A repeat with the same time is the same fact.' }),
    expires_at: instant('2026-11-21T09:00:00Z')
      .optional()
      .meta({ description: 'From when on it is not stated any more; left out, by the store’s `factHours`.' }),
  });

const [first, ...others] = factKindNames.map(reportOf);
if (first === undefined) throw new Error('there are no kinds of facts');

/** A fact as the API and webhooks report it. */
export const factReport = z
  .discriminatedUnion('kind', [first, ...others], { error: `names no kind of fact: write one of ${factKindNames.join(', ')}` })
  .transform(
    ({ kind, subject, value, source, observed_at: observed, expires_at: expires }): ReportedFact => ({
      kind,
      subject,
      value,
      source: source ?? null,
      observedAtMs: observed === undefined ? null : Date.parse(observed),
      expiresAtMs: expires === undefined ? null : Date.parse(expires),
    }),
  );

/** How far ahead a source's clock may be; what it states then counts from now. */
const aheadMs = 5 * 60_000;

/**
 * The fact that a report stands for.
 * @param by - who reports it where the report does not say
 * @param nowMs - when it came in
 * @returns or what is wrong with it, by field
 */
export function factFrom(
  reported: ReportedFact,
  { by, settings, nowMs }: { by: string; settings: { factHours: Readonly<Record<string, number>> }; nowMs: EpochMs },
): { ok: true; fact: NewFact } | { ok: false; field: 'observed_at' | 'expires_at' | 'subject'; reason: string } {
  const kind = factKindOf(reported.kind);
  const stated = reported.observedAtMs ?? nowMs;
  if (stated > nowMs + aheadMs) return { ok: false, field: 'observed_at', reason: 'lies in the future' };
  const observedAtMs = Math.min(stated, nowMs);
  const usualMs = observedAtMs + (settings.factHours[reported.kind] ?? kind.usualHours) * 3_600_000;
  const expiresAtMs = Math.min(reported.expiresAtMs ?? usualMs, kind.endsAtMs?.(reported.value) ?? Number.POSITIVE_INFINITY);
  if (expiresAtMs <= observedAtMs) return { ok: false, field: 'expires_at', reason: 'is not later than observed_at: it could never be stated' };
  const subject = kind.subjectKey(reported.subject);
  if (subject === '') return { ok: false, field: 'subject', reason: 'is empty' };
  return { ok: true, fact: { kind: reported.kind, subject, value: reported.value, source: reported.source ?? by, observedAtMs, expiresAtMs } };
}
