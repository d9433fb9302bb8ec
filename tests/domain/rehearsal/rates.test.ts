import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { waitedForMs } from '../../../domain/rate.ts';
import type { LogEntryOf } from '../../../domain/rehearsal/rehearse.ts';
import { rehearse } from '../../../domain/rehearsal/rehearse.ts';
import { parseScenario } from '../../../domain/rehearsal/scenario.ts';
import { plainSetting } from '../../../domain/rehearsal/world.ts';
import { anEmail, aSequence } from '../../helpers/sequence-dsl.ts';

// The rate of a campaign as a rehearsal keeps it. docs/rules.md#rule-34

const fromMs = Date.parse('2026-03-10T10:00Z');
const minuteMs = 60_000;

const steps = fc
  .array(fc.integer({ min: 0, max: 3_000 }), { minLength: 1, maxLength: 8 })
  .map((minutes) => minutes.toSorted((a, b) => a - b).map((at, n) => ({ id: `step_${n}`, at })));

test('messages of one lead are as far apart as the rate wants, each behind those that are ahead, and none is lost without a reason', () => {
  fc.assert(
    fc.property(
      steps,
      fc.integer({ min: 1, max: 500 }),
      fc.integer({ min: 1, max: 600 }),
      fc.integer({ min: 0, max: 20 }),
      fc.constantFrom(1, 60),
      (given, most, minutes, ahead, timeScale) => {
        const definition = aSequence({ steps: given.map(({ id, at }) => anEmail({ id, at: `${at}m` })), maxAge: '30d' });
        const rate = { most, withinMs: minutes * minuteMs };
        const events = [{ atMs: fromMs, type: 'subject.updated' as const }];
        const settings = { ...plainSetting.settings, caps: [] };
        const { log, finished } = rehearse(definition, events, { settings, timeScale, campaignPace: { rate, ahead } });
        expect(finished).not.toBeNull();
        const sent = log.filter((entry): entry is LogEntryOf<'sent'> => entry.kind === 'sent');
        const apartMs = rate.withinMs / most / timeScale;
        for (const [n, one] of sent.entries()) {
          const before = sent[n - 1];
          if (before !== undefined) expect(one.atMs - before.atMs).toBeGreaterThanOrEqual(apartMs - waitedForMs - 1);
          const at = given.find(({ id }) => id === one.step)?.at ?? 0;
          expect(one.atMs - fromMs).toBeGreaterThanOrEqual((at * minuteMs) / timeScale + ahead * apartMs - waitedForMs - 1);
        }
        // Each step has one end, and where the gates are open its moment under the rate is kept to.
        for (const { id } of given) {
          const own = log.filter((entry) => entry.kind !== 'finished' && entry.step === id);
          const last = own.at(-1);
          expect(['sent', 'skipped']).toContain(last?.kind);
          const moment = own.findLast((entry) => entry.kind === 'deferred' && entry.reason === 'rate');
          if (last?.kind === 'sent' && moment?.kind === 'deferred') expect(last.atMs).toBeGreaterThanOrEqual(moment.untilMs);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('a rate that nobody feels changes nothing', () => {
  fc.assert(
    fc.property(steps, (given) => {
      const definition = aSequence({ steps: given.map(({ id, at }) => anEmail({ id, at: `${at}m` })), maxAge: '30d' });
      const events = [{ atMs: fromMs, type: 'subject.updated' as const }];
      const rate = { most: 1_000_000, withinMs: minuteMs };
      expect(rehearse(definition, events, { campaignPace: { rate, ahead: 0 } }).log).toEqual(rehearse(definition, events).log);
    }),
  );
});

describe('a scenario', () => {
  const definition = aSequence({ steps: [anEmail({ at: '1h' })] });
  const read = (campaign: string) => parseScenario(`campaign: ${campaign}\n`, definition);

  test.each([
    ['{ rate: { most: 10, within: 1h }, ahead: 5 }', { campaignPace: { rate: { most: 10, withinMs: 3_600_000 }, ahead: 5 } }],
    ['{ from: "09:00", to: "19:00" }', { campaignSchedule: { fromMinute: 540, toMinute: 1_140 } }],
  ])('reads %s', (campaign, setting) => {
    expect(read(campaign)).toMatchObject({ ok: true, value: { setting } });
  });

  test.each([
    ['{}', 'is empty'],
    ['{ days: [mon], rate: { most: 1, within: 1h } }', 'days alone are no schedule'],
    ['{ from: "09:00", rate: { most: 1, within: 1h } }', 'a schedule needs both'],
    ['{ from: "09:00", to: "19:00", ahead: 3 }', 'needs a `rate`'],
    ['{ rate: { most: 0, within: 1h } }', 'is below 1'],
    ['{ rate: { most: 1, within: 0h } }', 'is no span of time'],
    ['{ rate: { most: 1, within: soon } }', 'is no span'],
  ])('says what is wrong with %s', (campaign, sentence) => {
    const result = read(campaign);
    expect(result.ok ? '' : JSON.stringify(result.errors)).toContain(sentence);
  });
});
