import { expect, test } from 'vitest';
import { type LedgerEntry, type Promised, settleAccounts, type ShopCart, type TakenMail } from '../../../bench/production/account.ts';
import { dipOf, usualMs } from '../../../bench/production/dip.ts';

const promised: Promised = {
  dueAfterMs: new Map([
    ['first', 1_000],
    ['second', 2_000],
  ]),
  lifeMs: 120_000,
  maxAgeMs: 168_000,
};
const cart = (more: Partial<ShopCart> = {}): ShopCart => ({ id: 'c', email: 'c@example.com', postedAtMs: 0, ackedAtMs: 10, stop: null, ...more });
const mail = (stepId: string, atMs = 100, to = 'c@example.com'): TakenMail => ({ to, stepId, atMs });
const entry = (states: Record<string, string>, more: Partial<LedgerEntry> = {}): LedgerEntry => ({
  cartId: 'c',
  endedAtMs: 5_000,
  endedBy: null,
  messages: new Map(Object.entries(states).map(([step, state]) => [step, { state, live: state === 'claimed', reason: null, settledAtMs: 4_000 }])),
  ...more,
});
const bothSent = entry({ first: 'sent', second: 'sent' });
const clean = { lost: [], duplicates: [], afterStop: [], unaccounted: [], stuck: [], unknown: 0, tooLate: 0 };

test('everything taken once, as the ledger says, leaves nothing open', () => {
  expect(settleAccounts([cart()], [mail('first'), mail('second')], [bothSent], promised)).toEqual(clean);
});

test('a cart that was answered and is nowhere is lost; one that never was is not', () => {
  expect(settleAccounts([cart()], [], [], promised).lost).toEqual(['c: 0 enrollments']);
  expect(settleAccounts([cart({ ackedAtMs: null })], [], [], promised)).toEqual(clean);
});

test('two enrollments of one cart, and a step taken twice, are found', () => {
  expect(settleAccounts([cart()], [mail('first'), mail('second')], [bothSent, bothSent], promised).lost).toEqual(['c: 2 enrollments']);
  expect(settleAccounts([cart()], [mail('first'), mail('first'), mail('second')], [bothSent], promised).duplicates).toEqual(['c first: 2 times']);
});

test('an email after the answered stop is found; one before it, or beside an unanswered stop, is fine', () => {
  const stoppedLate = entry({ first: 'sent' }, { endedBy: 'purchased' });
  const account = (ackedAtMs: number | null) => settleAccounts([cart({ stop: { ackedAtMs } })], [mail('first', 100)], [stoppedLate], promised);
  expect(account(99).afterStop).toEqual(['c first: 1 ms after the answer']);
  expect(account(100)).toEqual(clean);
  expect(account(null)).toEqual(clean);
});

test('ledger and mail server have to agree', () => {
  const found = (states: Record<string, string>, mails: TakenMail[]) => settleAccounts([cart()], mails, [entry(states)], promised).unaccounted;
  expect(found({ first: 'sent', second: 'sent' }, [mail('first')])).toEqual(['c second: sent by the ledger, never taken']);
  expect(found({ first: 'failed', second: 'sent' }, [mail('first'), mail('second')])).toEqual(['c first: taken, but the ledger says failed']);
  expect(found({ first: 'sent' }, [mail('first')])).toEqual(['c second: not taken, and the ledger says nothing']);
});

test('a step whose worker died is unknown, accepted or not, and only counted', () => {
  const account = settleAccounts([cart()], [mail('first')], [entry({ first: 'unknown', second: 'unknown' })], promised);
  expect(account).toEqual({ ...clean, unknown: 2 });
});

test('too old is an explanation where it is true by the clock, and none where it is not', () => {
  const skippedAt = (settledAtMs: number) =>
    settleAccounts(
      [cart()],
      [mail('first')],
      [
        entry(
          { first: 'sent' },
          {
            messages: new Map([
              ['first', { state: 'sent', live: false, reason: null, settledAtMs: 1_000 }],
              ['second', { state: 'skipped', live: false, reason: 'too_old', settledAtMs }],
            ]),
          },
        ),
      ],
      promised,
    );
  expect(skippedAt(122_000)).toEqual({ ...clean, tooLate: 1 });
  expect(skippedAt(60_000).unaccounted).toEqual(['c second: not taken, and the ledger says skipped (too_old)']);
  const expiredAt = (endedAtMs: number) =>
    settleAccounts([cart()], [mail('first')], [entry({ first: 'sent' }, { endedAtMs, endedBy: 'expired' })], promised);
  expect(expiredAt(168_000)).toEqual({ ...clean, tooLate: 1 });
  expect(expiredAt(60_000).unaccounted).toEqual(['c second: not taken, and the ledger says nothing; ended by expired']);
});

test('what is not over is stuck', () => {
  const account = settleAccounts([cart()], [mail('first')], [entry({ first: 'sent', second: 'claimed' }, { endedAtMs: null })], promised);
  expect(account.stuck).toEqual(['c: its enrollment has not ended', 'c second: claimed']);
});

test('a late email belongs to the fault that it met, else to the last one before, and the dip lasts until the last of them', () => {
  const happenings = [
    { shouldAtMs: 0, tookMs: 20 },
    { shouldAtMs: 900, tookMs: 4_000 },
    { shouldAtMs: 2_000, tookMs: 3_500 },
    { shouldAtMs: 9_000, tookMs: 3_000 },
  ];
  const faultsMs = [1_000, 5_000, 8_000];
  expect(usualMs(happenings, 500)).toBe(1_020);
  expect(dipOf(happenings, faultsMs, 0, 1_020)).toEqual({ late: 1, worstMs: 4_000, overAfterMs: 3_900 });
  expect(dipOf(happenings, faultsMs, 1, 1_020)).toEqual({ late: 1, worstMs: 3_500, overAfterMs: 500 });
  expect(dipOf(happenings, faultsMs, 2, 1_020)).toEqual({ late: 1, worstMs: 3_000, overAfterMs: 4_000 });
  expect(dipOf(happenings, [], 0, 1_020)).toEqual({ late: 0, worstMs: 0, overAfterMs: 0 });
});
