import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sharesOf, variantAt } from '../../../domain/experiments/variant.ts';
import { parseSequence } from '../../../domain/sequence/parse-sequence.ts';
import { pointOf } from '../../../operations/dispatch/assignment.ts';

const weighted = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 2, maxLength: 10 });
const named = (weights: readonly number[]) => weights.map((weight, index) => ({ id: `v${index}`, content: `cart/v${index}`, weight }));

describe('a variant', () => {
  test('has the part of [0, 1) that its weight is worth, one after the other', () => {
    fc.assert(
      fc.property(weighted, (weights) => {
        const variants = named(weights);
        const all = weights.reduce((sum, weight) => sum + weight, 0);
        let from = 0;
        for (const [index, weight] of weights.entries()) {
          // Points inside the stretch, away from its rounded borders.
          for (const at of [0.001, 0.5, 0.999]) expect(variantAt((from + at * weight) / all, variants).id).toBe(`v${index}`);
          from += weight;
        }
        expect(Object.values(sharesOf(variants)).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
      }),
    );
  });

  test('is spread over people by its weight, and independently of another step', () => {
    const variants = named([3, 1]);
    const people = Array.from({ length: 20_000 }, (_, n) => `person-${n}`);
    const of = (step: string, person: string) => variantAt(pointOf(`sequence\n${step}`, person), variants).id;
    const first = people.filter((person) => of('one', person) === 'v0');
    expect(first.length / people.length).toBeCloseTo(0.75, 1);
    const both = first.filter((person) => of('two', person) === 'v0');
    expect(both.length / first.length).toBeCloseTo(0.75, 1);
  });
});

describe('in a file', () => {
  const parse = (step: string) =>
    parseSequence(
      `sequence: s\nname: S\non: cart.abandoned\nquietFor: 1h\nsteps:\n  - { id: mail, at: 2h, ${step} }\n  - { id: next, at: 24h, channel: none }\n`,
    );
  const mistakes = (step: string) => {
    const read = parse(step);
    return read.ok ? [] : read.errors.map(({ message }) => message);
  };
  const two = '{ id: a, content: cart/a }, { id: b, content: cart/b, weight: 3 }';

  test('variants stand in place of the content, whose first is what a single content was', () => {
    const read = parse(`channel: email, variants: [${two}]`);
    expect(read).toMatchObject({
      ok: true,
      definition: {
        steps: [
          {
            content: 'cart/a',
            variants: [
              { id: 'a', content: 'cart/a', weight: 1 },
              { id: 'b', content: 'cart/b', weight: 3 },
            ],
          },
          { id: 'next' },
        ],
      },
    });
  });

  test('one text may go out at different times', () => {
    const read = parse('channel: email, variants: [{ id: soon, content: cart/a }, { id: later, content: cart/a, later: 21h }]');
    expect(read.ok && read.definition.steps[0]?.variants).toEqual([
      { id: 'soon', content: 'cart/a', weight: 1 },
      { id: 'later', content: 'cart/a', weight: 1, laterMs: 21 * 3_600_000 },
    ]);
  });

  test.each([
    [`channel: email, content: cart/a, variants: [${two}]`, 'stand beside `content`'],
    ['channel: email, variants: [{ id: a, content: cart/a }]', 'needs 2 at least'],
    ['channel: email, variants: [{ id: a, content: cart/a }, { id: a, content: cart/b }]', 'name `a` twice'],
    ['channel: email, variants: [{ id: a, content: cart/a }, { id: b, content: cart/a }]', 'send cart/a twice'],
    ['channel: email, variants: [{ id: a, content: cart/a, weight: 0 }, { id: b, content: cart/b }]', 'must be 1 at least'],
    [`channel: none, variants: [${two}]`, 'have no use on a channel without texts'],
    ['channel: email', 'is missing: name the text'],
    ['channel: email, variants: [{ id: a, content: cart/a, later: 2h }, { id: b, content: cart/b, later: 1h }]', 'all go out `later`'],
    ['channel: email, variants: [{ id: a, content: cart/a }, { id: b, content: cart/a, later: 0s }]', 'send cart/a twice at the same time'],
    ['channel: email, lapsesWith: next, variants: [{ id: a, content: cart/a }, { id: b, content: cart/a, later: 1h }]', 'beside `lapsesWith`'],
    [
      'channel: email, variants: [{ id: a, content: cart/a }, { id: b, content: cart/a, later: 22h }]',
      'as late as the next step, `next`: make `later` shorter',
    ],
  ])('%s: %s', (step, message) => {
    expect(mistakes(step).join('\n')).toContain(message);
  });
});
