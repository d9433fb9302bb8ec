import { type ConsentClass, type ConsentLaw, consentLawOf, type SoftGround } from '../law/consent-law.ts';
import type { EpochMs } from '../sequence/plan.ts';
import type { Consent } from './consent.ts';

/**
 * How a store reads the law of consent. `strict`: where it asks for consent, only consent that was given counts. `law`: also what the law takes for it, for
 * as long as it does; whether the store meets the conditions is for the store to know. `off`: the store sees to it by other means.
 */
export const consentReadings = ['strict', 'law', 'off'] as const;
export type ConsentReading = (typeof consentReadings)[number];

/** When the person last did what the law may take for agreement; null: not known. */
export type SoftEvidence = Readonly<Record<SoftGround, EpochMs | null>>;

/** What the law comes to. `law`: the one that decides. */
export type LegalConsent =
  | { allowed: true; law: ConsentLaw; restsOn: 'nothing_needed' | 'consent' | SoftGround; untilMs: EpochMs | null }
  | { allowed: false; law: ConsentLaw; reason: 'consent_required' | 'consent_expired'; sinceMs: EpochMs | null };

/**
 * Whether the law lets somebody be written to who has not said no. Every country that may be theirs is asked: what one of them forbids is forbidden.
 * @returns null: no law is known for any of these countries
 * Source: docs/rules.md#rule-31
 */
export function consentByLaw(
  asked: { of: ConsentClass; countries: readonly string[]; consent: Consent; reading: Exclude<ConsentReading, 'off'>; evidence: SoftEvidence },
  nowMs: EpochMs,
): LegalConsent | null {
  let weakest: LegalConsent | null = null;
  for (const country of asked.countries) {
    const law = consentLawOf(asked.of, country);
    if (law === null) continue;
    const found = underLaw(law, asked, nowMs);
    if (!found.allowed) return found;
    if (weakest === null || endOf(found) < endOf(weakest) || (weakest.allowed && weakest.restsOn === 'nothing_needed')) weakest = found;
  }
  return weakest;
}

const endOf = (found: LegalConsent) => (found.allowed ? (found.untilMs ?? Number.POSITIVE_INFINITY) : Number.NEGATIVE_INFINITY);

type Asked = Parameters<typeof consentByLaw>[0];

function underLaw(law: ConsentLaw, { consent, reading, evidence }: Asked, nowMs: EpochMs): LegalConsent {
  if (consent === 'granted') return { allowed: true, law, restsOn: 'consent', untilMs: null };
  if (law.asksFor === 'nothing') return { allowed: true, law, restsOn: 'nothing_needed', untilMs: null };
  const grounds = (reading === 'law' ? law.soft : []).flatMap(({ by, months }) => {
    const atMs = evidence[by];
    return atMs === null ? [] : [{ by, untilMs: months === null ? null : addMonths(atMs, months) }];
  });
  const [lasting] = grounds.filter((g) => g.untilMs === null || g.untilMs > nowMs).sort((a, b) => (b.untilMs ?? Infinity) - (a.untilMs ?? Infinity));
  if (lasting !== undefined) return { allowed: true, law, restsOn: lasting.by, untilMs: lasting.untilMs };
  const ended = grounds.map((g) => g.untilMs ?? 0);
  if (ended.length === 0) return { allowed: false, law, reason: 'consent_required', sinceMs: null };
  return { allowed: false, law, reason: 'consent_expired', sinceMs: Math.max(...ended) };
}

/** The same day so many months later, or the last of a shorter month. UTC: a law counts days, and the day before is never too late. */
export function addMonths(atMs: EpochMs, months: number): EpochMs {
  const at = new Date(atMs);
  const target = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + months, 1));
  const lastDay = new Date(Date.UTC(target.getUTCFullYear(), target.getUTCMonth() + 1, 0)).getUTCDate();
  target.setUTCDate(Math.min(at.getUTCDate(), lastDay));
  return target.getTime() + (atMs - Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()));
}
