import type { EpochMs } from '../sequence/plan.ts';
import type { Subject, SubjectAddress, SubjectReport } from './kind.ts';

/** Of two events of one instant the later arrival counts; with a clock of whole seconds, an instant is a second. */
export function isNewer(event: Pick<SubjectReport<unknown>, 'occurredAtMs' | 'toTheSecond'>, knownMs: EpochMs): boolean {
  if (event.occurredAtMs >= knownMs) return true;
  return event.toTheSecond === true && Math.floor(event.occurredAtMs / 1_000) === Math.floor(knownMs / 1_000);
}

type AddressFields = Pick<Subject<unknown>, 'email' | 'emailAt' | 'phone' | 'phoneAt'>;

/** Address and number have separate times: an event that lacks one of them does not remove it. */
export function foldAddress(known: AddressFields | null, { email, phone }: SubjectAddress, atMs: EpochMs): AddressFields {
  const emailWins = email !== null && (known?.emailAt == null || atMs >= known.emailAt);
  const phoneWins = phone !== null && (known?.phoneAt == null || atMs >= known.phoneAt);
  return {
    email: emailWins ? email : (known?.email ?? null),
    emailAt: emailWins ? atMs : (known?.emailAt ?? null),
    phone: phoneWins ? phone : (known?.phone ?? null),
    phoneAt: phoneWins ? atMs : (known?.phoneAt ?? null),
  };
}

/** The times of a subject: begun at the earliest that was reported, active last at the latest. */
export function foldTimes(
  known: Pick<Subject<unknown>, 'startedAt' | 'lastActivityAt'> | null,
  createdAtMs: EpochMs,
  occurredAtMs: EpochMs,
): Pick<Subject<unknown>, 'startedAt' | 'lastActivityAt'> {
  if (known === null) return { startedAt: createdAtMs, lastActivityAt: occurredAtMs };
  return { startedAt: Math.min(known.startedAt, createdAtMs), lastActivityAt: Math.max(known.lastActivityAt, occurredAtMs) };
}
