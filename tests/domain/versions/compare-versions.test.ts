import { expect, test } from 'vitest';
import type { SequenceDefinition, StepDefinition } from '../../../domain/sequence/definition.ts';
import { compareVersions, isSame } from '../../../domain/versions/compare-versions.ts';
import { headCounts, type Standing } from '../../../domain/versions/head-counts.ts';
import { anEmail, aSequence, ms } from '../../helpers/sequence-dsl.ts';

const source = (definition: SequenceDefinition, content: Record<string, unknown> = { 'cart/email_2h': { subject: 'Hello' } }) => ({
  definition,
  content,
});
const [one, two, three] = [anEmail({ id: 'one', at: '2h' }), anEmail({ id: 'two', at: '24h' }), anEmail({ id: 'three', at: '48h' })];
const before = aSequence({ steps: [one, two, three] });

test('the first version adds its steps and texts', () => {
  const diff = compareVersions(null, source(before));
  expect(diff.steps.map(({ step, change }) => `${change} ${step}`)).toEqual(['added one', 'added two', 'added three']);
  expect(diff).toMatchObject({ texts: [{ name: 'cart/email_2h', change: 'added' }], settings: [] });
});

test('names each field of a step that changed, by its name in the file', () => {
  const later = { ...two, due: { from: 'previous' as const, delayMs: ms('6h') }, maxRetries: 1 };
  const { steps } = compareVersions(source(before), source({ ...before, steps: [one, later, three] }));
  expect(steps).toEqual([
    {
      step: 'two',
      change: 'changed',
      fields: [
        { field: 'at', before: '1d', after: null },
        { field: 'maxRetries', before: 3, after: 1 },
        { field: 'after', before: null, after: '6h' },
      ],
    },
  ]);
});

test('a removed step does not move the others; a changed order does', () => {
  const removed = compareVersions(source(before), source({ ...before, steps: [two, three] }));
  expect(removed.steps).toEqual([{ step: 'one', change: 'removed', fields: [] }]);
  const turned = compareVersions(source(before), source({ ...before, steps: [two, one, three] }));
  expect(turned.steps.map(({ step, fields }) => [step, fields.map(({ field }) => field)])).toEqual([
    ['two', ['place']],
    ['one', ['place']],
  ]);
});

test('a text that changed changes each step that uses it', () => {
  const diff = compareVersions(source(before), source(before, { 'cart/email_2h': { subject: 'Still there?' }, 'cart/other': {} }));
  expect(diff.texts).toEqual([
    { name: 'cart/email_2h', change: 'changed' },
    { name: 'cart/other', change: 'added' },
  ]);
  expect(diff.steps.map(({ step, fields }) => [step, fields[0]?.field])).toEqual([
    ['one', 'text'],
    ['two', 'text'],
    ['three', 'text'],
  ]);
});

test('what is said about the whole sequence', () => {
  const { settings } = compareVersions(source(before), source({ ...before, stopOn: ['purchased', 'opted_out'], reentry: { cooldownMs: ms('30d') } }));
  expect(settings).toEqual([
    { field: 'stopOn', before: ['opted_out', 'purchased', 'replied'], after: ['opted_out', 'purchased'] },
    { field: 'reentry', before: 'once-per-subject', after: { cooldown: '30d' } },
  ]);
});

test('a default that is written out, another order of keys and of stop rules is no change', () => {
  const same = { ...before, whenCapped: 'skip' as const, together: 'one' as const, stopOn: before.stopOn.toReversed() };
  const turned = (step: StepDefinition) =>
    Object.fromEntries(Object.entries({ ...step, onFailure: 'skip' }).toReversed()) as unknown as StepDefinition;
  const written = { ...same, steps: same.steps.map(turned) };
  expect(isSame(compareVersions(source(before), source(written)))).toBe(true);
});

test('a field that this comparison does not know yet is never invisible', () => {
  const more = { ...before, bestHour: true, steps: [{ ...one, flavours: ['a', 'b'] }, two, three] };
  const diff = compareVersions(source(before), source(more));
  expect(diff.settings).toEqual([{ field: 'bestHour', before: null, after: true }]);
  expect(diff.steps).toMatchObject([{ step: 'one', fields: [{ field: 'flavours' }] }]);
});

const standing = (settled: string[], count: number, steps = before.steps, version = 1): Standing => ({ version, steps, settled, count });

test('counts who is before, at and past each changed step, on all versions', () => {
  const four = anEmail({ id: 'four', at: '72h' });
  const after = { ...before, steps: [one, anEmail({ id: 'new', at: '12h' }), { ...three, maxRetries: 1 }, four] };
  const { steps } = compareVersions(source(before), source(after));
  const counts = headCounts(steps, after, [
    standing([], 5),
    standing(['one'], 7),
    standing(['one', 'two'], 11),
    // On an older version, with a step of its own.
    standing(['old'], 13, [anEmail({ id: 'old', at: '1h' }), two], 0),
  ]);
  expect(counts).toEqual({
    open: 36,
    movable: 23,
    steps: [
      { step: 'two', change: 'removed', before: 5, at: 7 + 13, past: 11 },
      // Whoever has had two stands at three in both versions.
      { step: 'new', change: 'added', before: 12, at: 0, past: 11 },
      { step: 'three', change: 'changed', before: 12, at: 11, past: 0 },
      { step: 'four', change: 'added', before: 23, at: 0, past: 0 },
    ].toSorted((a, b) => steps.findIndex((s) => s.step === a.step) - steps.findIndex((s) => s.step === b.step)),
  });
});
