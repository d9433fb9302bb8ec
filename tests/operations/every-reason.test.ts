import { describe, expect, test } from 'vitest';
import { decisiveGates, finalGates, timeGates } from '../../domain/gates/index.ts';
import { deferReasons, holdReasons, skipReasons, stopReasons } from '../../domain/sequence/plan.ts';
import { noSequenceReasons } from '../../domain/subjects/no-sequence.ts';
import { subjectKinds } from '../../domain/subjects/index.ts';
import { decisionSentence, nextSentence } from '../../operations/read/sentences.ts';
import { kindOfReason, reasonSentence } from '../../operations/read/why-not-sent.ts';
import { wordsForDefer, wordsForNoSequence } from '../../operations/read/words.ts';

// The reasons are those of the types: a new one without a sentence fails here, and does not compile in operations/read/.

const reasons = { defer: deferReasons, hold: holdReasons, skip: skipReasons, stop: stopReasons } as const;
const verdicts = Object.keys(reasons) as (keyof typeof reasons)[];
const all = verdicts.flatMap((verdict) => reasons[verdict].map((reason) => ({ verdict, reason })));

/** For a shop owner: no names of the code, no hole, a whole sentence. */
function expectSentence(sentence: string, reason: string): void {
  expect(sentence, reason).toMatch(/^\S.*\.$/);
  expect(sentence, reason).not.toMatch(/_|undefined|null|\bNaN\b|\{|\}| {2}/);
}

describe.each(subjectKinds.all.map(({ kind }) => kind))('about a %s', (kind) => {
  const { words } = subjectKinds.of(kind);
  test.each(all)('$verdict $reason has its sentences', ({ verdict, reason }) => {
    const facts = { stepId: 'email', verdict, reason, untilMs: 0, checks: [] };
    expectSentence(reasonSentence(words, verdict, reason), reason);
    expectSentence(decisionSentence(words, facts), reason);
    expectSentence(nextSentence(words, { ...facts, askedAtMs: 0, inFlight: false }, 0), reason);
    // Not the reason itself, spelled with spaces: that is what is shown for one that nobody has found words for.
    const bare = reason.replaceAll('_', ' ');
    if (bare.includes(' ') && reason !== 'quiet_hours') expect(reasonSentence(words, verdict, reason)).not.toContain(`: ${bare}.`);
    expect(['normal_wait', 'as_planned', 'blocker']).toContain(kindOfReason(verdict, reason));
  });
});

test.each(noSequenceReasons)('no sequence, because %s, has its words about every kind of subject', (reason) => {
  for (const { words } of subjectKinds.all) {
    const why = wordsForNoSequence(words, reason, null);
    expectSentence(`No sequence was begun about this ${words.noun}: ${why}.`, reason);
    expect(why).not.toBe(reason.replaceAll('_', ' '));
  }
});

test('of a step that came too late it is said until when it could be sent, and what it had to wait for', () => {
  const { words } = subjectKinds.of('cart');
  const checks = [
    { gate: 'quiet_hours', result: 'defer' as const, input: {}, note: 'Quiet hours from 21:00 to 08:00.' },
    { gate: 'gap', result: 'pass' as const, input: {} },
    {
      gate: 'too_old',
      result: 'skip' as const,
      input: { dueMs: 0, expiryMs: Date.UTC(2026, 2, 10, 23), sendMs: Date.UTC(2026, 2, 11, 8) },
      note: 'Too old.',
    },
  ];
  expect(decisionSentence(words, { stepId: 'email', verdict: 'skip', reason: 'too_old', untilMs: null, checks })).toBe(
    'email is not sent: it would have come too late: it could be sent until 2026-03-10 23:00:00 UTC at the latest. Quiet hours from 21:00 to 08:00.',
  );
});

test('every gate that puts a step off is a reason with words', () => {
  const { words } = subjectKinds.of('cart');
  for (const { name } of timeGates) {
    expect(deferReasons).toContain(name);
    expect(wordsForDefer(words, name)).not.toBe('');
  }
});

test('every gate has a name of its own', () => {
  const names = [...decisiveGates, ...timeGates, ...finalGates].map((g) => g.name);
  expect(new Set(names).size).toBe(names.length);
});

test('a reason of a later version is shown as it is, among what is in the way', () => {
  const { words } = subjectKinds.of('cart');
  expect(reasonSentence(words, 'skip', 'of_the_future')).toBe('Left out: of the future.');
  expect(kindOfReason('skip', 'of_the_future')).toBe('blocker');
});
