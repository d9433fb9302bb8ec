import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addUp, type Amount, decimalOf, microsOf, shareOf } from '../../../domain/interventions/amount.ts';
import { costOf, type InterventionCosts, totalCost, type UnknownCost, usualMinutes } from '../../../domain/interventions/cost.ts';
import { type CountedIntervention, rowsOf, sameUntil, sumUp } from '../../../domain/interventions/figures.ts';
import { interventionOutcomes } from '../../../domain/interventions/outcome.ts';
import { expectedOf, returnOf, stakeOf } from '../../../domain/interventions/worth.ts';
import { interventionBands } from '../../../domain/risk/band-move.ts';
import type { Behaviour } from '../../../domain/risk/behaviour.ts';

// What interventions cost and are worth: docs/rules.md#rule-97

const usd = (decimal: string): Amount => ({ currency: 'USD', micros: microsOf(decimal) ?? -1n });
const dayMs = 86_400_000;
const nowMs = 1_000 * dayMs;

describe('amounts', () => {
  test('are read and written exactly', () => {
    const places = fc.tuple(fc.bigInt({ min: 0n, max: 10n ** 15n - 1n }), fc.constantFrom('USD', 'EUR', 'JPY', 'KWD'));
    fc.assert(
      fc.property(places, ([micros, currency]) => {
        expect(microsOf(decimalOf({ micros, currency }))).toBe(micros);
      }),
    );
    expect(decimalOf(usd('0.0079'))).toBe('0.0079');
    expect(decimalOf(usd('12.5'))).toBe('12.50');
    expect(decimalOf({ currency: 'JPY', micros: 4_500_000_000n })).toBe('4500');
    expect(decimalOf({ currency: 'USD', micros: -1_250_000n })).toBe('-1.25');
    for (const wrong of ['', '-1', '1e3', '1.1234567', '١', ' 1', '1.']) expect(microsOf(wrong), wrong).toBeNull();
  });

  test('of different currencies are never added', () => {
    expect(addUp([usd('1'), { currency: 'EUR', micros: 5n }, usd('0.5')]).map(decimalOf)).toEqual(['0.000005', '1.50']);
  });
});

const costs: InterventionCosts = {
  messages: { email: { amount: '0.0004', currency: 'USD' }, sms: { amount: '0.0079', currency: 'USD' } },
  peoplePerHour: { amount: '40', currency: 'USD' },
  minutes: usualMinutes,
  modelCurrency: 'EUR',
};

describe('the cost of an action', () => {
  test('is its message, or a colleague’s time, and the model', () => {
    expect(costOf(costs, { channel: 'sms', task: null, modelMicros: null })).toEqual({ amounts: [usd('0.0079')], unknown: [] });
    expect(costOf(costs, { channel: 'task', task: 'agent_call', modelMicros: null })).toEqual({ amounts: [usd('10')], unknown: [] });
    expect(costOf(costs, { channel: 'email', task: null, modelMicros: 1_200 })).toEqual({
      amounts: [{ currency: 'EUR', micros: 1_200n }, usd('0.0004')],
      unknown: [],
    });
  });

  test('says what is not known instead of counting it as nothing', () => {
    expect(costOf(costs, { channel: 'push', task: null, modelMicros: null })).toEqual({ amounts: [], unknown: ['message'] });
    const bare = { ...costs, peoplePerHour: null, modelCurrency: null };
    expect(costOf(bare, { channel: 'task', task: 'escalation', modelMicros: null }).unknown).toEqual(['people']);
    expect(costOf(bare, { channel: 'email', task: null, modelMicros: 1 }).unknown).toEqual(['model']);
    expect(
      totalCost([costOf(bare, { channel: 'push', task: null, modelMicros: 1 }), costOf(costs, { channel: 'sms', task: null, modelMicros: null })]),
    ).toEqual({
      amounts: [usd('0.0079')],
      unknown: ['message', 'model'],
    });
  });
});

describe('what an action is worth', () => {
  const order = (daysAgo: number, amount: string | null, currency: string | null = 'USD'): Behaviour => ({
    kind: 'order',
    atMs: nowMs - daysAgo * dayMs,
    amount,
    currency,
  });

  test('at stake is what the account bought within a year, as much as falls into the horizon', () => {
    const history = [order(400, '1000'), order(300, '365'), order(10, '365'), order(5, '10', 'EUR'), order(3, null)];
    expect(stakeOf(history, nowMs, { withinDays: 73 }).map(({ currency, micros }) => `${micros} ${currency}`)).toEqual([
      '2000000 EUR',
      '146000000 USD',
    ]);
    expect(stakeOf([order(10, '50')], nowMs, { withinDays: 60 }), 'known for ten days: all of it').toEqual([usd('50')]);
    expect(stakeOf([order(-1, '50')], nowMs, { withinDays: 60 }), 'what happened later is not known').toEqual([]);
  });

  test('is its part of the effect; without an effect nothing is expected', () => {
    expect(expectedOf([usd('200')], { share: 0.05, from: 'assumed' }, 4)).toEqual([usd('2.5')]);
    expect(expectedOf([usd('200')], null, 4)).toBeNull();
    expect(expectedOf([usd('200')], { share: -0.1, from: 'measured' }, 2)).toEqual([{ currency: 'USD', micros: -10_000_000n }]);
  });

  test('the return is shown both ways, and with a reason where there is none', () => {
    const cost = { amounts: [usd('400')], unknown: [] };
    expect(returnOf([usd('750000')], cost), 'the figures of the requirement: a multiple of 1,875 is 187,400 %').toEqual({
      multiple: 1_875,
      percent: 187_400,
    });
    expect(returnOf([usd('200')], cost)).toEqual({ multiple: 0.5, percent: -50 });
    expect(returnOf(null, cost)).toEqual({ because: 'nothing_expected' });
    expect(returnOf([usd('1')], { amounts: [usd('1')], unknown: ['model'] })).toEqual({ because: 'unknown_cost' });
    expect(returnOf([usd('1')], { amounts: [], unknown: [] })).toEqual({ because: 'no_cost' });
    expect(returnOf([{ currency: 'EUR', micros: 1n }], cost)).toEqual({ because: 'several_currencies' });
  });
});

test('random interventions: costs add up, by band and by channel', () => {
  const amounts = fc.array(fc.record({ currency: fc.constantFrom('EUR', 'USD', 'JPY'), micros: fc.bigInt({ min: 0n, max: 10n ** 12n }) }), {
    maxLength: 3,
  });
  const action = fc.record({
    channel: fc.constantFrom('email', 'sms', 'task'),
    outcome: fc.constantFrom(...interventionOutcomes, null),
    state: fc.constantFrom('planned', 'done', 'failed', 'left_out'),
    cost: fc.record({ amounts, unknown: fc.subarray<UnknownCost>(['message', 'people', 'model']) }),
    expected: fc.oneof(amounts, fc.constant(null)),
  });
  const one: fc.Arbitrary<CountedIntervention> = fc.record({
    band: fc.constantFrom(...interventionBands),
    success: fc.constantFrom(true, false, null),
    heldOut: fc.boolean(),
    attributed: amounts,
    actions: fc.array(action, { maxLength: 4 }),
  });
  fc.assert(
    fc.property(fc.array(one, { maxLength: 8 }), (all) => {
      const rows = all.flatMap(rowsOf);
      const whole = sumUp(rows);
      const done = all.flatMap(({ actions }) => actions).filter(({ state }) => state === 'done' || state === 'failed');
      const something = (found: readonly Amount[]) => addUp(found).filter(({ micros }) => micros !== 0n);
      expect(whole).toEqual({
        ...{ begun: all.length, heldOut: all.filter(({ heldOut }) => heldOut).length, actions: done.length },
        ...{ complete: all.filter(({ success }) => success !== null).length, successes: all.filter(({ success }) => success === true).length },
        outcomes: Object.fromEntries(interventionOutcomes.map((outcome) => [outcome, done.filter((action) => action.outcome === outcome).length])),
        cost: {
          amounts: something(done.flatMap(({ cost }) => cost.amounts)),
          unknown: (['message', 'people', 'model'] as const).filter((part) => done.some(({ cost }) => cost.unknown.includes(part))),
        },
        expected: something(done.flatMap(({ expected }) => expected ?? [])),
        attributed: something(all.flatMap(({ attributed }) => attributed)),
      });
      const of = (field: 'band' | 'channel') =>
        [...new Set(rows.map((row) => row[field]))].map((value) => sumUp(rows.filter((row) => row[field] === value)));
      for (const field of ['band', 'channel'] as const) {
        expect(something(of(field).flatMap(({ cost }) => cost.amounts))).toEqual(whole.cost.amounts);
        expect(of(field).reduce((sum, { begun, actions }) => sum + begun + actions, 0)).toBe(whole.begun + whole.actions);
      }
    }),
  );
});

test('an intervention counts for the same until the next window of an action is over', () => {
  const actions = [{ atMs: 10 }, { atMs: null }, { atMs: 40 }];
  const until = (at: number) => sameUntil(actions, { windowMs: 100, nowMs: at });
  expect([0, 109, 110, 139, 140].map(until)).toEqual([110, 110, 140, 140, null]);
  expect(sameUntil([], { windowMs: 100, nowMs: 0 })).toBeNull();
});

test('a share of an amount is exact to a millionth', () => {
  expect(shareOf(usd('100'), 0.333_333)).toEqual(usd('33.3333'));
});
