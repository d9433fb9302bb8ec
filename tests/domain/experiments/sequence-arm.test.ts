import fc from 'fast-check';
import { expect, test } from 'vitest';
import { settledBy, withArm } from '../../../domain/experiments/sequence-arm.ts';
import { comparedIn, withWinner } from '../../../domain/experiments/take-over.ts';
import { rehearse } from '../../../domain/rehearsal/rehearse.ts';
import { fileOfDefinition } from '../../../domain/sequence/file-of-definition.ts';
import { parseSequence } from '../../../domain/sequence/parse-sequence.ts';

// Courses of a whole sequence, compared by chance: docs/rules.md#rule-123

const parse = (steps: string, arms = 'arms: [{ id: a }, { id: b, weight: 3 }]\n') =>
  parseSequence(`sequence: s\nname: S\non: cart.abandoned\nquietFor: 1h\n${arms}steps:\n${steps}`);
function definitionOf(steps: string) {
  const read = parse(steps);
  if (!read.ok) throw new Error(JSON.stringify(read.errors));
  return read.definition;
}
const mistakesOf = (steps: string, arms?: string) => {
  const read = parse(steps, arms);
  return read.ok ? [] : read.errors.map(({ message }) => message.replace(/^`[^`]+` /u, ''));
};

const channels = definitionOf(`
  - { id: mail, at: 2h, channel: email, content: cart/a, when: { arm: a } }
  - { id: text, at: 3h, channel: [sms, email], content: cart/b, when: { all: [{ arm: b }, { value: { atLeast: 50 } }] } }
  - { id: both, after: 20h, channel: email, content: cart/c, when: { any: [{ arm: a }, { opened: mail }] } }
  - { id: opened, on: { event: message.opened, step: mail }, after: 1h, channel: email, content: cart/d }
  - { id: last, at: 48h, channel: email, content: cart/e, when: { not: { arm: a } } }
`);

test('are one comparison with the shares of their weights, and a file that is written from them is the same', () => {
  expect(comparedIn(channels)).toEqual([{ stepId: '*', shares: { a: 0.25, b: 0.75 }, mode: 'test' }]);
  expect(comparedIn({ ...channels, compare: 'bandit' })).toMatchObject([{ stepId: '*', mode: 'bandit' }]);
  expect(fileOfDefinition({ ...channels, compare: 'bandit' })).toMatchObject({ compare: 'bandit' });
  expect(withArm({ ...channels, compare: 'bandit' }, 'a')).not.toHaveProperty('compare');
  expect(fileOfDefinition(channels)).toMatchObject({
    arms: [
      { id: 'a', weight: 1 },
      { id: 'b', weight: 3 },
    ],
  });
});

test('each person gets the steps of their arm, and those of everybody', () => {
  const sentTo = (arm: string) =>
    rehearse(channels, [{ type: 'subject.updated', atMs: Date.UTC(2026, 2, 10, 10) }], { arm, valueMinor: 12_990 }).log.flatMap((entry) =>
      entry.kind === 'sent' ? [entry.step] : [],
    );
  expect(sentTo('a')).toEqual(['mail', 'both']);
  expect(sentTo('b')).toEqual(['text', 'last']);
});

test('a winner is a version without the others: what nobody gets is gone, with what reacts to it, and times stay', () => {
  const [ofA, ofB] = ['a', 'b'].map((arm) => withWinner(channels, '*', arm));
  expect(ofA).not.toHaveProperty('arms');
  const hourMs = 3_600_000;
  expect(ofA?.steps.map(({ id, when, due }) => [id, when, due.from, due.delayMs / hourMs])).toEqual([
    ['mail', null, 'anchor', 2],
    ['both', null, 'anchor', 23],
    ['opened', null, 'event', 1],
  ]);
  expect(ofB?.steps.map(({ id, when, due }) => [id, when, due.from, due.delayMs / hourMs])).toEqual([
    ['text', { value: { atLeast: 50 } }, 'anchor', 3],
    ['last', null, 'anchor', 48],
  ]);
  expect(withArm(channels, 'c')).toBeNull();
  expect(withArm(definitionOf('  - { id: mail, at: 2h, channel: email, content: cart/a, when: { arm: a } }\n'), 'b')).toBeNull();
});

test('a file that asks for no arm, for one that is missing, or for one in `only`, is refused with what to write', () => {
  expect(mistakesOf('  - { id: mail, at: 2h, channel: email, content: cart/a }\n')).toEqual([
    'are asked for by no step: write `when: { arm: a }` in the steps of that arm',
  ]);
  expect(mistakesOf('  - { id: mail, at: 2h, channel: email, content: cart/a, when: { arm: c } }\n')[0]).toContain('write a or b');
  expect(mistakesOf('  - { id: mail, at: 2h, channel: email, content: cart/a, when: { arm: c } }\n', '')[0]).toContain('has no `arms`');
  expect(
    mistakesOf('  - { id: mail, at: 2h, channel: email, content: cart/a, when: { arm: a } }\n', 'only: { arm: a }\narms: [{ id: a }, { id: b }]\n'),
  ).toEqual(['asks for an arm: arms are drawn among those who are taken']);
  expect(mistakesOf('  - { id: mail, at: 2h, channel: email, content: cart/a, when: { arm: a } }\n', 'arms: [{ id: a }, { id: a }]\n')).toEqual([
    'name `a` twice',
  ]);
});

test('what is left of a condition holds for the people of the arm exactly where the whole did', () => {
  const leaf = fc.constantFrom({ arm: 'a' }, { arm: 'b' }, { opened: 'x' }, { opened: 'gone' }, { opened: 'y' });
  const { condition } = fc.letrec<{ condition: unknown }>((tie) => ({
    condition: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.record({ not: tie('condition') }),
      fc.record({ all: fc.array(tie('condition'), { minLength: 1, maxLength: 3 }) }),
      fc.record({ any: fc.array(tie('condition'), { minLength: 1, maxLength: 3 }) }),
    ),
  }));
  type Node = Parameters<typeof settledBy>[0];
  const holds = (node: Node, arm: string, opened: ReadonlySet<string>): boolean => {
    if (typeof node === 'string') return false;
    if ('arm' in node) return node.arm === arm;
    if ('opened' in node) return opened.has(node.opened);
    if ('not' in node) return !holds(node.not, arm, opened);
    if ('all' in node) return node.all.every((part) => holds(part, arm, opened));
    return 'any' in node && node.any.some((part) => holds(part, arm, opened));
  };
  const mentions = (node: Node): boolean => JSON.stringify(node).includes('"arm"') || JSON.stringify(node).includes('gone');
  fc.assert(
    fc.property(condition, fc.constantFrom('a', 'b'), fc.subarray(['x', 'y']), (written, arm, seen) => {
      const opened = new Set(seen);
      const left = settledBy(
        written as Node,
        (id) => id === arm,
        (id) => id !== 'gone',
      );
      expect(typeof left === 'boolean' ? left : holds(left, arm, opened)).toBe(holds(written as Node, arm, opened));
      if (typeof left !== 'boolean') expect(mentions(left)).toBe(false);
    }),
    { numRuns: 500 },
  );
});

test('whoever begins after the takeover gets the same messages at the same times as the people of that arm did', () => {
  const step = fc.record({
    gap: fc.integer({ min: 1, max: 20 }),
    counts: fc.constantFrom('at', 'after'),
    when: fc.constantFrom(
      '',
      ', when: { arm: a }',
      ', when: { arm: b }',
      ', when: { not: { arm: b } }',
      ', when: { any: [{ arm: b }, { value: { atLeast: 50 } }] }',
    ),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 2, maxLength: 6 }), fc.constantFrom('a', 'b'), (steps, arm) => {
      let at = 0;
      const lines = steps.map(({ gap, counts, when }, index) => {
        at += gap;
        return `  - { id: s${index}, ${counts}: ${counts === 'at' ? at : gap}h, channel: email, content: cart/s${index}${when}, expires: 4h }\n`;
      });
      const read = parse(lines.join('') + `  - { id: end, at: ${at + 20}h, channel: none, when: { arm: a } }\n`);
      if (!read.ok) throw new Error(JSON.stringify(read.errors));
      const after = withArm(read.definition, arm);
      const sent = (definition: typeof read.definition) =>
        rehearse(definition, [{ type: 'subject.updated', atMs: Date.UTC(2026, 2, 10, 10) }], { arm, valueMinor: 12_990 }).log.flatMap((entry) =>
          entry.kind === 'sent' && entry.step !== 'end' ? [[entry.step, entry.atMs]] : [],
        );
      expect(after === null ? [] : sent(after)).toEqual(sent(read.definition));
    }),
    { numRuns: 60 },
  );
});
