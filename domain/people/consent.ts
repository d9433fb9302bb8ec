import type { Channel } from '../channels/index.ts';
import type { ReportedConsent } from '../events.ts';
import type { EpochMs } from '../sequence/plan.ts';

/** Consent of a person for one channel: their last statement, or none (rule 14). */
export type Consent = 'granted' | 'denied' | 'unknown';

/** Who stated it. `box`: a checkbox of a cart or order; `record`: the shop's record of the customer; `person`: the person's own act. */
export type ConsentBasis = 'box' | 'record' | 'person';

/** One statement about marketing on a channel. */
export interface ConsentStatement {
  state: 'granted' | 'denied';
  basis: ConsentBasis;
  /** When it was made, by the provider's clock: statements arrive in any order. */
  atMs: EpochMs;
}

/**
 * The consent that follows from the statements about one
 * channel. An unticked box is no statement. The person's own acts and the shop's record count more
 * than any box: the latest of them decides, the denial where two are of the same instant. A ticked box counts where there is nothing else.
 * @returns `unknown`: not stated
 * Source: docs/rules.md#rule-14
 */
export function foldConsent(statements: readonly ConsentStatement[]): Consent {
  let latest: ConsentStatement | null = null;
  for (const statement of statements) {
    if (statement.basis === 'box') continue;
    if (latest === null || statement.atMs > latest.atMs || (statement.atMs === latest.atMs && statement.state === 'denied')) latest = statement;
  }
  if (latest !== null) return latest.state;
  return statements.some((s) => s.basis === 'box' && s.state === 'granted') ? 'granted' : 'unknown';
}

/**
 * Whether the person has closed all marketing: they denied every channel, and granted none since.
 * @param statements - of all channels; `all` stands for every one of them
 */
export function deniesEverything(statements: readonly (ConsentStatement & { channel: string })[]): boolean {
  const all = statements.filter((s) => s.channel === 'all' && s.state === 'denied' && s.basis !== 'box').map((s) => s.atMs);
  if (all.length === 0) return false;
  const deniedMs = Math.max(...all);
  return !statements.some((s) => s.state === 'granted' && s.basis !== 'box' && s.atMs > deniedMs);
}

/**
 * Whether a statement adds anything to those that are known: what was stated before, or is known to have been stated again later, does not.
 * A repeat that is newer does, because what lies between the two may still be on its way.
 */
export function saysMore(statement: ConsentStatement, known: readonly ConsentStatement[]): boolean {
  return !known.some((k) => k.state === statement.state && k.basis === statement.basis && k.atMs >= statement.atMs);
}

/** What an event says about a person's channels that adds anything to what is known. */
export function newStatements(
  told: readonly ReportedConsent[],
  eventMs: EpochMs,
  known: readonly (ConsentStatement & { channel: string })[],
): (ConsentStatement & { channel: string; wording?: string })[] {
  return told
    .filter(({ state, basis }) => state === 'granted' || basis !== 'box')
    .map(({ channel, state, basis, atMs, wording }) => ({
      channel,
      state,
      basis,
      atMs: atMs ?? eventMs,
      ...(wording === undefined ? {} : { wording }),
    }))
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

/** Channels where unknown consent is not enough unless a tenant says otherwise. Source: docs/rules.md#rule-14 */
export const consentRequiredByDefault: readonly Channel[] = ['sms', 'whatsapp', 'call', 'push', 'crm'];
