import type { Channel } from '../channels.ts';
import type { Consent } from '../gates/facts.ts';
import type { EpochMs } from '../sequence/plan.ts';

/** One thing that a person said about a channel. */
export interface ConsentStatement {
  state: 'granted' | 'denied';
  /** When they said it, by the provider's clock: statements arrive in any order. */
  atMs: EpochMs;
}

/**
 * What a person's statements about one channel come to: the latest counts; of two at the same instant the denial does.
 * Source: design, section 4, rule 14
 */
export function foldConsent(statements: readonly ConsentStatement[]): Consent {
  let latest: ConsentStatement | null = null;
  for (const statement of statements) {
    if (latest === null || statement.atMs > latest.atMs || (statement.atMs === latest.atMs && statement.state === 'denied')) latest = statement;
  }
  return latest?.state ?? 'unknown';
}

/**
 * Whether a statement adds anything to those that are known: what was said before, or is known to have been said again later, does not.
 * A repeat that is newer does, because what lies between the two may still be on its way.
 */
export function saysMore(statement: ConsentStatement, known: readonly ConsentStatement[]): boolean {
  return !known.some((k) => k.state === statement.state && k.atMs >= statement.atMs);
}

/** What an event says about a person's channels that adds anything to what they said before. */
export function newStatements<T extends { channel: string; state: ConsentStatement['state'] }>(
  said: readonly T[],
  atMs: EpochMs,
  known: readonly (ConsentStatement & { channel: string })[],
): (T & { atMs: EpochMs })[] {
  return said
    .map((statement) => ({ ...statement, atMs }))
    .filter((statement) =>
      saysMore(
        statement,
        known.filter((k) => k.channel === statement.channel),
      ),
    );
}

/**
 * Whether a channel may be used.
 * @param requiresConsent - the tenant's `requireConsent` for the channel: unknown is not enough
 */
export function consentAllows(consent: Consent, requiresConsent: boolean): boolean {
  return consent === 'granted' || (consent === 'unknown' && !requiresConsent);
}

/** Channels where unknown consent is not enough unless a tenant says otherwise. Source: design, section 4, rule 14 */
export const consentRequiredByDefault: readonly Channel[] = ['sms', 'call', 'push'];
