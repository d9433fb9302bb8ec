import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Channel } from '../../../domain/channels/index.ts';
import { withoutVariant, withWinner } from '../../../domain/experiments/take-over.ts';
import { sharesOf, variantAt } from '../../../domain/experiments/variant.ts';
import type { ChannelFacts } from '../../../domain/gates/facts.ts';
import { rehearse } from '../../../domain/rehearsal/rehearse.ts';
import { compilePlan } from '../../../domain/sequence/compile-plan.ts';
import type { SequenceDefinition, StepDefinition } from '../../../domain/sequence/definition.ts';
import { fileOfDefinition } from '../../../domain/sequence/file-of-definition.ts';
import { parseSequence } from '../../../domain/sequence/parse-sequence.ts';
import { formsOf } from '../../../domain/sequence/step-of-variant.ts';
import { compareVersions } from '../../../domain/versions/compare-versions.ts';
import { pointOf } from '../../../operations/dispatch/assignment.ts';

const weighted = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 2, maxLength: 10 });
const reachable: ChannelFacts = { connected: true, hasAddress: true, suppressed: false, consent: 'granted', requiresConsent: true, refused: false };
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

  const four = `channel: [email, sms], variants: [{ id: mail, content: cart/a, channel: email }, { id: text, channel: sms, content: cart/a },
    { id: written, channel: email, content: { model: cart/brief, fallback: cart/a } }, { id: code, channel: email, content: cart/b, offer: { without: skip } }]`;

  test('a variant has a channel, a model or an offer of its own, and the step has every channel of them', () => {
    const read = parse(four);
    if (!read.ok) throw new Error(JSON.stringify(read.errors));
    const [step] = read.definition.steps;
    if (step === undefined) throw new Error('no step');
    expect(step.channels).toEqual(['email', 'sms']);
    expect(step.offer).toBeUndefined();
    expect(formsOf(step).map(({ content, channels, model, offer }) => ({ content, channels, model: model?.brief, offer }))).toEqual([
      { content: 'cart/a', channels: ['email'], model: undefined, offer: undefined },
      { content: 'cart/a', channels: ['sms'], model: undefined, offer: undefined },
      { content: 'cart/a', channels: ['email'], model: 'cart/brief', offer: undefined },
      { content: 'cart/b', channels: ['email'], model: undefined, offer: { without: 'skip' } },
    ]);
    expect(compilePlan(read.definition, 1, 1).steps[0]).toMatchObject({ channels: ['email', 'sms'], composeAheadMs: 30 * 60_000 });
  });

  test('a channel that a variant does not name is the step’s, and `offer: false` leaves out the step’s offer', () => {
    const read = parse(
      'channel: email, offer: true, variants: [{ id: a, content: cart/a }, { id: b, content: cart/b, channel: [whatsapp, sms], offer: false }]',
    );
    expect(read.ok && formsOf(read.definition.steps[0] as StepDefinition)).toMatchObject([
      { channels: ['email'], offer: { without: 'send' } },
      { channels: ['whatsapp', 'sms'] },
    ]);
    expect(read.ok && formsOf(read.definition.steps[0] as StepDefinition)[1]).not.toHaveProperty('offer');
    expect(read.ok && read.definition.steps[0]?.channels).toEqual(['email', 'whatsapp', 'sms']);
  });

  test('what is read of any file is read of the file that it is written as', () => {
    const channel = fc.constantFrom('email', 'sms', 'whatsapp', 'telegram');
    const channels = fc.uniqueArray(channel, { minLength: 1, maxLength: 3 });
    const one = fc.record(
      {
        content: fc.oneof(fc.constantFrom('cart/a', 'cart/b'), fc.constant({ model: 'cart/brief', fallback: 'cart/a' })),
        weight: fc.integer({ min: 1, max: 9 }),
        later: fc.constantFrom('0s', '1h', '2h'),
        channel: fc.oneof(channel, channels),
        offer: fc.constantFrom<unknown[]>(true, false, { without: 'skip' }),
      },
      { requiredKeys: ['content'] },
    );
    let read = 0;
    fc.assert(
      fc.property(fc.array(one, { minLength: 2, maxLength: 4 }), channels, fc.constantFrom(undefined, true), (variants, own, offer) => {
        const parsed = parse(
          `channel: ${JSON.stringify(own)}, ${offer === undefined ? '' : 'offer: true,'} variants: ${JSON.stringify(variants.map((v, n) => ({ ...v, id: `v${n}` })))}`,
        );
        if (!parsed.ok) {
          for (const { message } of parsed.errors)
            expect(message).toMatch(
              / (send .* twice|is false, and the step brings none|is by a model, which cannot state the offer|all go out|names .* by which no variant) ?/,
            );
          return;
        }
        read += 1;
        const again = parseSequence(JSON.stringify(fileOfDefinition(parsed.definition)));
        expect(again.ok && again.definition).toEqual(parsed.definition);
        for (const step of parsed.definition.steps)
          for (const { id } of step.variants ?? []) {
            const won = withWinner(parsed.definition, step.id, id)?.steps[0];
            const form = formsOf(step)[step.variants?.findIndex((variant) => variant.id === id) ?? 0];
            expect(won).not.toHaveProperty('variants');
            expect({ channels: won?.channels, model: won?.model, offer: won?.offer, content: won?.content }).toEqual({
              channels: form?.channels,
              model: form?.model,
              offer: form?.offer,
              content: form?.content,
            });
          }
      }),
      { numRuns: 1_000 },
    );
    expect(read).toBeGreaterThan(50);
  });

  test('one arm taken away takes its channels with it', () => {
    const read = parse(four);
    const left = read.ok ? withoutVariant(read.definition, 'mail', 'text') : null;
    expect(left?.steps[0]).toMatchObject({ channels: ['email'], variants: [{ id: 'mail' }, { id: 'written' }, { id: 'code' }] });
  });

  test('a rehearsal sends each variant by its own channel, and leaves it out where the person is not reached by it', () => {
    const read = parse(four);
    if (!read.ok) throw new Error('unreadable');
    const left = (variant: string, ...by: Channel[]) =>
      rehearse(read.definition, [{ type: 'subject.updated', atMs: Date.UTC(2026, 2, 2, 10) }], {
        variants: { mail: variant },
        channels: Object.fromEntries(by.map((name) => [name, reachable])),
      }).log.find((entry) => 'step' in entry && entry.step === 'mail' && entry.kind !== 'deferred');
    expect(left('mail', 'email', 'sms')).toMatchObject({ kind: 'sent', channel: 'email', variant: 'mail' });
    expect(left('text', 'email', 'sms')).toMatchObject({ kind: 'sent', channel: 'sms', variant: 'text' });
    expect(left('text', 'email')).toMatchObject({ kind: 'skipped', reason: 'not_connected' });
  });

  test('a change of any variant is a change of the step, and so is one of its text', () => {
    const [before, after] = [parse(four), parse(four.replaceAll('sms', 'whatsapp'))];
    if (!before.ok || !after.ok) throw new Error('unreadable');
    const source = (definition: SequenceDefinition, content = {}) => ({ definition, content });
    const fields = (diff: ReturnType<typeof compareVersions>) => diff.steps.map(({ step, fields: of }) => [step, of.map(({ field }) => field)]);
    expect(fields(compareVersions(source(before.definition), source(after.definition)))).toEqual([['mail', ['channel', 'variants']]]);
    const texts = [source(before.definition, { 'cart/b': 1 }), source(before.definition, { 'cart/b': 2 })] as const;
    expect(fields(compareVersions(...texts))).toEqual([['mail', ['text']]]);
  });

  test.each([
    [`channel: email, content: cart/a, variants: [${two}]`, 'stand beside `content`'],
    ['channel: email, variants: [{ id: a, content: cart/a }]', 'needs 2 at least'],
    ['channel: email, variants: [{ id: a, content: cart/a }, { id: a, content: cart/b }]', 'name `a` twice'],
    ['channel: email, variants: [{ id: a, content: cart/a }, { id: b, content: cart/a }]', 'send cart/a twice'],
    ['channel: email, variants: [{ id: a, content: cart/a, weight: 0 }, { id: b, content: cart/b }]', 'must be 1 at least'],
    [`channel: none, variants: [${two}]`, 'have no use on a channel without texts'],
    ['channel: email', 'is missing: name the text'],
    [
      'channel: email, variants: [{ id: a, content: cart/a }, { id: b, content: cart/a, channel: none }]',
      '`variants[1].channel` is none, which has no text',
    ],
    ['channel: email, variants: [{ id: a, content: cart/a }, { id: b, content: cart/a, channel: fax }]', 'is not understood: write one of'],
    [
      'channel: email, variants: [{ id: a, content: cart/a }, { id: b, content: cart/a, channel: [sms, sms] }]',
      '`variants[1].channel` names a channel twice',
    ],
    [
      'channel: email, variants: [{ id: a, content: cart/a, channel: sms }, { id: b, content: cart/b, channel: sms }]',
      'names email, by which no variant goes out',
    ],
    [
      'channel: email, variants: [{ id: a, content: cart/a }, { id: b, content: cart/b, offer: false }]',
      '`variants[1].offer` is false, and the step brings none: remove it',
    ],
    ['channel: email, variants: [{ id: a, content: cart/a }, { id: b, content: cart/b, offer: maybe }]', 'write true, { without: skip } or false'],
    [
      'channel: email, offer: true, variants: [{ id: a, content: cart/a }, { id: b, content: { model: cart/c, fallback: cart/b } }]',
      '`variants[1].content` is by a model, which cannot state the offer',
    ],
    [
      'channel: [email, sms], onFailure: next-channel, variants: [{ id: a, content: cart/a }, { id: b, content: cart/b, channel: sms }]',
      '`variants[1].channel` is sms alone, and `onFailure: next-channel` needs a second',
    ],
    ['channel: email, texts: [{ model: cart/a, fallback: cart/b }, cart/c]', 'not among `texts`'],
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
