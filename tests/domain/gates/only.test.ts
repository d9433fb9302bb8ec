import { expect, test } from 'vitest';
import { parseSequence } from '../../../domain/sequence/parse-sequence.ts';
import { activates } from '../../../domain/gates/verdict.ts';
import type { Condition } from '../../../domain/sequence/definition.ts';
import { anEmail, aSequence } from '../../helpers/sequence-dsl.ts';
import { decide, type Differences } from './a-dispatch.ts';

const deciding = (only: Condition, more: Differences = {}) =>
  decide({ progress: { activatedAtMs: null }, ...more, sequence: { ...aSequence({ steps: [anEmail({ at: '1h' })] }), only } });

test('who does not meet what the sequence asks ends before it counts; who does is sent to', () => {
  const subject = { valueMinor: 4_999 };
  const refused = deciding({ value: { atLeast: 50 } }, { subject });
  expect(refused).toMatchObject({ kind: 'stop', reason: 'filtered' });
  expect(activates(refused)).toBe(false);
  expect(refused.checks.at(-1)).toMatchObject({ gate: 'only', input: { 'value at least 50': false, holds: false } });
  expect(deciding({ value: { atLeast: 50 } }, { subject: { valueMinor: 5_000 } })).toMatchObject({ kind: 'send' });
  expect(deciding({ not: { value: { atLeast: 50 } } }, { subject })).toMatchObject({ kind: 'send' });
});

test('what cannot be known counts as no, and says so', () => {
  const verdict = deciding({ value: { atLeast: 50 } }, { subject: { valueMinor: null } });
  expect(verdict).toMatchObject({ kind: 'stop', reason: 'filtered' });
  expect(verdict.checks.at(-1)?.note).toContain('Cannot be known, counted as no: value at least 50.');
});

test('it is asked once: a sequence that counts goes on', () => {
  expect(deciding({ value: { atLeast: 50 } }, { subject: { valueMinor: 1 }, progress: {} })).toMatchObject({ kind: 'send' });
});

test.each([
  ['a message', 'only: { opened: first }', '`only` may ask for segment, stage, value, stock and attribute: no message has gone out yet'],
  ['a purchase', 'only: { not: converted }', '`only` may ask for segment, stage, value, stock and attribute: no message has gone out yet'],
  [
    'an attribute that nobody knows',
    'only: { attribute: { name: cart.colour, is: red } }',
    'asks for the attribute `cart.colour`, which is not known here',
  ],
])('a file that asks for %s is refused with its line', (_what, line, message) => {
  const parsed = parseSequence(
    `sequence: cart\nname: Cart\non: cart.abandoned\n${line}\nsteps:\n  - { id: first, at: 1h, channel: email, content: cart/first }\n`,
  );
  if (parsed.ok) throw new Error('it was accepted');
  expect(parsed.errors.map((error) => `${error.line}: ${error.message}`).join()).toContain(message);
  expect(parsed.errors[0]?.line).toBe(4);
});

test('a sequence that is started by hand has no use for it', () => {
  const parsed = parseSequence(
    `sequence: hand\nname: By hand\non: manual\nabout: cart\nonly: { value: { atLeast: 5 } }\nsteps:\n  - { id: first, at: 1h, channel: email, content: cart/first }\n`,
  );
  expect(parsed.ok ? [] : parsed.errors.map(({ message }) => message)).toEqual([expect.stringContaining('has no use in a manual sequence')]);
});
