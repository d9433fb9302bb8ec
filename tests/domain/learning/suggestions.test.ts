import fc from 'fast-check';
import { expect, test } from 'vitest';
import { comparedIn } from '../../../domain/experiments/take-over.ts';
import type { LargestDropOff } from '../../../domain/learning/drop-off.ts';
import { phrasesToTry } from '../../../domain/learning/phrases.ts';
import { atLearnedHour, delayFromTest, suggestionFor, withPhrase } from '../../../domain/learning/suggestions.ts';
import { rehearse } from '../../../domain/rehearsal/rehearse.ts';
import type { SequenceDefinition } from '../../../domain/sequence/definition.ts';
import { sequenceFileOf } from '../../../domain/sequence/edit-file.ts';
import { fileOfDefinition } from '../../../domain/sequence/file-of-definition.ts';
import { parseSequence } from '../../../domain/sequence/parse-sequence.ts';

// Drafts of comparisons: docs/rules.md#rule-125

function definitionOf(steps: string, more = ''): SequenceDefinition {
  const read = parseSequence(`sequence: s\nname: S\non: cart.abandoned\nquietFor: 1h\n${more}steps:\n${steps}`);
  if (!read.ok) throw new Error(JSON.stringify(read.errors));
  return read.definition;
}
const worst = (step: string, because: LargestDropOff['because'], bestHours: LargestDropOff['bestHours'] = null): LargestDropOff => ({
  ...{ step, because, bestHours, rate: 0.4, interval: { low: 0.3, high: 0.5 }, n: 100, left: 40, advice: 'Try.', byHoursP: null },
});
const three = definitionOf(`
  - { id: first, at: 2h, channel: email, content: cart/a }
  - { id: second, after: 20h, channel: email, content: cart/b }
  - { id: third, after: 24h, channel: email, content: cart/c }
`);
const hasText = () => true;

test('each advice is drafted as a comparison of two halves', () => {
  const channel = suggestionFor(three, worst('second', 'email'), hasText);
  expect(channel).toMatchObject({ kind: 'channel', draft: { arms: [{ id: 'email' }, { id: 'sms' }] } });
  expect(channel?.draft.steps.map(({ id, channels, when }) => [id, channels, when])).toEqual([
    ['first', ['email'], null],
    ['second', ['email'], { arm: 'email' }],
    ['second_other', ['sms'], { arm: 'sms' }],
    ['third', ['email'], null],
  ]);
  const hours = suggestionFor(three, worst('second', 'time_of_day', { from: 6, to: 12 }), hasText);
  expect(hours?.draft.steps[2]).toMatchObject({ window: { fromMinute: 360, toMinute: 720 }, when: { arm: 'best_hours' } });
  expect(suggestionFor(three, worst('third', 'late_in_the_sequence'), hasText)?.draft.steps.map(({ when }) => when)).toEqual([
    null,
    null,
    { arm: 'full' },
  ]);
  expect(suggestionFor(three, worst('second', 'other'), hasText)?.draft.steps[1]?.variants).toEqual([
    { id: 'now', content: 'cart/b', weight: 1 },
    { id: 'later', content: 'cart/b', weight: 1, laterMs: 12 * 3_600_000 },
  ]);
});

test('nothing is suggested where something is compared already, or is the first that goes out; without a text for it, another delay is', () => {
  expect(suggestionFor(three, worst('second', 'email'), () => false)?.kind).toBe('delay');
  expect(suggestionFor(three, worst('gone', 'other'), hasText)).toBeNull();
  expect(suggestionFor(three, worst('first', 'late_in_the_sequence'), hasText)).toBeNull();
  const drafted = suggestionFor(three, worst('second', 'email'), hasText);
  expect(suggestionFor(drafted?.draft ?? three, worst('third', 'other'), hasText)).toBeNull();
  const asked = definitionOf(`
  - { id: first, at: 2h, channel: email, content: cart/a }
  - { id: second, at: 20h, channel: email, content: cart/b, when: { not: { opened: first } } }
`);
  // Who opened a text message is asked by nobody: the second email would go to all of them.
  expect(suggestionFor(asked, worst('first', 'email'), hasText)?.kind).toBe('delay');
  expect(suggestionFor(asked, worst('first', 'time_of_day', { from: 6, to: 12 }), hasText)).toBeNull();
});

test('every draft is a file that can be published, and the half that is not changed gets what everybody got', () => {
  const step = fc.record({
    gap: fc.integer({ min: 2, max: 30 }),
    counts: fc.constantFrom('at', 'after'),
    when: fc.constantFrom('', ', when: { value: { atLeast: 50 } }', ', when: { all: [{ value: { atLeast: 50 } }, { segment: FIRST_TIME }] }'),
  });
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 1, maxLength: 5 }),
      fc.nat(4),
      fc.constantFrom('email' as const, 'other' as const, 'late_in_the_sequence' as const, 'time_of_day' as const),
      (steps, which, because) => {
        let at = 0;
        const lines = steps.map(({ gap, counts, when }, index) => {
          at += gap;
          return `  - { id: s${index}, ${counts}: ${counts === 'at' ? at : gap}h, channel: email, content: cart/s${index}${when} }\n`;
        });
        const before = definitionOf(lines.join(''), 'maxAge: 30d\n');
        const suggestion = suggestionFor(before, worst(`s${which % steps.length}`, because, { from: 6, to: 12 }), hasText);
        if (suggestion === null) return;
        const read = parseSequence(sequenceFileOf(fileOfDefinition(suggestion.draft)));
        expect(read.ok ? [] : read.errors).toEqual([]);
        expect(comparedIn(suggestion.draft)).toHaveLength(1);
        const sent = (definition: SequenceDefinition) =>
          rehearse(definition, [{ type: 'subject.updated', atMs: Date.UTC(2026, 2, 10, 10) }], {}).log.flatMap((entry) =>
            entry.kind === 'sent' ? [[entry.step, entry.atMs]] : [],
          );
        if (read.ok) expect(sent(read.definition)).toEqual(sent(before));
      },
    ),
    { numRuns: 100 },
  );
});

test('the better delay of a test is drafted where the step has the other one still, and room for it; an hour for the first step of the next day', () => {
  const hour = 3_600_000;
  expect(delayFromTest(three, 'second', { nowMs: 20 * hour, betterMs: 30 * hour })?.draft.steps[1]?.variants).toMatchObject([
    { id: 'now' },
    { id: 'later', laterMs: 10 * hour },
  ]);
  expect(delayFromTest(three, 'second', { nowMs: 19 * hour, betterMs: 30 * hour })).toBeNull();
  expect(delayFromTest(three, 'second', { nowMs: 20 * hour, betterMs: 44 * hour })).toBeNull();
  const drafted = atLearnedHour(three, { channel: 'email', hour: 19 });
  expect(drafted?.draft.steps.map(({ id, window }) => [id, window?.fromMinute ?? null])).toEqual([
    ['first', null],
    ['second', null],
    ['third', null],
    ['third_other', 1_140],
  ]);
  expect(atLearnedHour(three, { channel: 'sms', hour: 19 })).toBeNull();
  const atNight = atLearnedHour(three, { channel: 'email', hour: 23 })?.draft;
  for (const draft of [drafted?.draft, atNight, delayFromTest(three, 'second', { nowMs: 20 * hour, betterMs: 30 * hour })?.draft]) {
    if (draft === undefined) throw new Error('no draft');
    expect(parseSequence(sequenceFileOf(fileOfDefinition(draft)))).toMatchObject({ ok: true });
    expect(atLearnedHour(draft, { channel: 'email', hour: 8 })).toBeNull();
    expect(delayFromTest(draft, 'third', { nowMs: 24 * hour, betterMs: 30 * hour })).toBeNull();
  }
});

test('a phrase is drafted for the first step that lacks it, and a part of a phrase that is no surer is left out', () => {
  const phrase = { channel: 'email' as const, phrase: 'come back', variant: 'with_come_back' };
  const drafted = withPhrase(three, phrase, (content) => content !== 'cart/a');
  expect(drafted).toMatchObject({ kind: 'text', step: 'second', redraft: { of: 'cart/b', content: 'cart/b_with_come_back', phrase: 'come back' } });
  expect(drafted?.draft.steps[1]?.variants).toEqual([
    { id: 'now', content: 'cart/b', weight: 1 },
    { id: 'with_come_back', content: 'cart/b_with_come_back', weight: 1 },
  ]);
  expect(withPhrase(three, phrase, () => false)).toBeNull();
  expect(withPhrase(three, { ...phrase, channel: 'sms' }, () => true)).toBeNull();
  expect(withPhrase(drafted?.draft ?? three, phrase, () => true)).toBeNull();
  const finding = (kind: 'word' | 'two_words' | 'opening' | 'length', text: string, z: number) => ({
    kind,
    text,
    z,
    tests: 40,
    lift: 0.1,
    interval: null,
    p: 0.01,
  });
  const better = [
    finding('word', 'back', 4),
    finding('word', 'come', 3),
    finding('two_words', 'come back', 3),
    finding('opening', 'come', 3),
    finding('length', 'longer', 3),
  ];
  expect(phrasesToTry(better).map(({ text }) => text)).toEqual(['back', 'come back']);
});
