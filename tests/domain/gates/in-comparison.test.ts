import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Channel } from '../../../domain/channels/index.ts';
import { decideDispatch } from '../../../domain/gates/decide-dispatch.ts';
import { countsInComparison } from '../../../domain/gates/in-comparison.ts';
import { anchorMs, type Differences, factsWith, usable } from './a-dispatch.ts';

// Who counts where variants reach different people: docs/rules.md#rule-128

const hourMs = 3_600_000;
const arms: Channel[][] = [['email'], ['sms'], ['whatsapp', 'email']];
const all: Channel[] = ['email', 'sms', 'whatsapp'];

const people = fc.record({
  addresses: fc.subarray(all),
  suppressed: fc.subarray(all),
  state: fc.constantFrom('open', 'open', 'open', 'converted', 'gone'),
  held: fc.constantFrom(null, null, 'paused'),
  lastReplyMs: fc.constantFrom(null, null, anchorMs + hourMs / 2),
  heldOut: fc.constantFrom(false, false, true),
  value: fc.constantFrom(10, 5_000, 20_000),
  asked: fc.boolean(),
  offer: fc.boolean(),
});

test('who counts is the same whichever variant somebody has; who is sent something counts, and nobody whom no variant reaches', () => {
  const seen = { counts: 0, sent: 0, skippedThoughCounted: 0 };
  fc.assert(
    fc.property(people, fc.integer({ min: -2, max: 30 }), (person, hours) => {
      const nowMs = anchorMs + hourMs + hours * (hourMs / 4);
      const factsOf = (channels: Channel[], offer: boolean) => {
        const given: Differences = {
          step: { channels, when: person.asked ? { value: { atLeast: 100 } } : null },
          subject: { state: person.state as 'open', valueMinor: person.value, currency: 'EUR' },
          progress: { held: person.held as 'paused' | null },
          contact: { lastReplyMs: person.lastReplyMs },
          holdout: { percent: 10, heldOut: person.heldOut },
          channels: Object.fromEntries(
            all.map((name) => [name, { ...usable, hasAddress: person.addresses.includes(name), suppressed: person.suppressed.includes(name) }]),
          ),
        };
        const facts = factsWith(given);
        if (offer) facts.step.offer = { without: 'skip' };
        return facts;
      };
      const counted = arms.map((channels, index) => countsInComparison(factsOf(channels, person.offer && index === 1), all, nowMs));
      expect(new Set(counted).size).toBe(1);
      const verdicts = arms.map((channels, index) => decideDispatch(factsOf(channels, person.offer && index === 1), nowMs));
      const isSent = verdicts.some(({ kind }) => kind === 'send');
      if (isSent) expect(counted[0]).toBe(true);
      if (!person.addresses.some((one) => !person.suppressed.includes(one))) expect(counted[0]).toBe(false);
      if (verdicts.every(({ kind }) => kind === 'stop')) expect(counted[0]).toBe(false);
      if (counted[0] === true) seen.counts += 1;
      if (isSent) seen.sent += 1;
      if (counted[0] === true && verdicts.some(({ kind }) => kind === 'skip')) seen.skippedThoughCounted += 1;
    }),
    { numRuns: 2_000 },
  );
  for (const times of Object.values(seen)) expect(times).toBeGreaterThan(20);
});
