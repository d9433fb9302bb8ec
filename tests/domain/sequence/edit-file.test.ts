import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  changeStep,
  fileSaying,
  insertStep,
  newSequenceFile,
  removeStep,
  saidIn,
  sequenceFileOf,
  setFields,
  stepsOfFile,
} from '../../../domain/sequence/edit-file.ts';
import { fileOfDefinition } from '../../../domain/sequence/file-of-definition.ts';
import { parseSequence } from '../../../domain/sequence/parse-sequence.ts';
import { dueField, plainStepsOf } from '../../../domain/sequence/plain-step.ts';

const folder = `${import.meta.dirname}/../../../sequences/`;
const definitionOf = (yaml: string) => {
  const parsed = parseSequence(yaml);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed.definition;
};
const manyFields = `
sequence: many
name: Many
description: Everything that a file may say.
on: lead.created
only: { attribute: { name: lead.source, is: META } }
quietFor: 30s
onReply: takeover
maxAge: 30d
reentry: { cooldown: 30d }
together: many
holdout: 12.5%
priority: 2
whenCapped: wait
window: { from: "09:00", to: "24:00", days: [mon, tue] }
bestHour: true
rate: { most: 500, within: 1d }
goal: { event: order.placed, within: 9d }
steps:
  - { id: a, at: 45s, channel: [sms, email], content: many/a, expires: 3h, lapsesWith: d, onFailure: next-channel, maxRetries: 1 }
  - { id: b, after: 90m, channel: email, variants: [{ id: x, content: many/x }, { id: y, content: many/y, weight: 3 }] }
  - { id: c, after: 2d, channel: email, texts: [many/x, many/y], when: { all: [{ not: { opened: a } }, { value: { atLeast: 3.5 } }] } }
  - { id: d, after: 2d, channel: email, content: { model: many/brief, fallback: many/x, ahead: 1h }, offer: { without: skip } }
  - { id: e, on: { event: message.clicked, step: b, within: 5h }, after: 10m, channel: call, script: spring }
  - { id: f, on: { event: contact.asked_later }, channel: sms, content: many/a, requires: { claim: stock }, script: own }
`;

test.each([...readdirSync(folder).filter((name) => name.endsWith('.yaml')), 'many fields'])(
  'the file of a definition reads as that definition: %s',
  (name) => {
    const definition = definitionOf(name === 'many fields' ? manyFields : readFileSync(`${folder}${name}`, 'utf8'));
    expect(definitionOf(sequenceFileOf(fileOfDefinition(definition)))).toEqual(definition);
  },
);

describe('step by step', () => {
  const empty = newSequenceFile({ sequence: 'new', name: 'New', on: 'manual', about: 'lead' });
  const step = (id: string, at: string) => ({ id, at, channel: 'email', script: 'chosen' });

  test('a file grows from nothing, and its orders close up', () => {
    expect(parseSequence(empty).ok).toBe(false);
    const two = insertStep(insertStep(empty, step('b', '2h'), 9), step('a', '1h'), 0);
    expect(plainStepsOf(definitionOf(two))).toMatchObject([
      { id: 'a', order: 0, delayValue: 1, delayUnit: 'hours', anchor: 'enrollment', scriptId: null, conditions: null, maxRetries: 3 },
      { id: 'b', order: 1 },
    ]);
    const three = insertStep(two, step('c', '90m'), 1);
    expect(plainStepsOf(definitionOf(removeStep(three, 'a') ?? '')).map(({ id, order }) => [id, order])).toEqual([
      ['c', 0],
      ['b', 1],
    ]);
    expect([removeStep(two, 'x'), changeStep(two, 'x', {}, null)]).toEqual([null, null]);
  });

  test('a step keeps what is not changed, and the comments around it stay', () => {
    const file = readFileSync(`${folder}lead-nurture.yaml`, 'utf8');
    const changed = changeStep(file, 'sms_12h', { at: undefined, after: '6h', maxRetries: 1 }, null) ?? '';
    const [, sms] = definitionOf(changed).steps;
    expect(sms).toMatchObject({ id: 'sms_12h', due: { from: 'previous', delayMs: 6 * 3_600_000 }, content: 'lead-nurture/sms_12h', maxRetries: 1 });
    expect(changed).toContain('# An informal greeting that invites a reply.');
    expect(definitionOf(setFields(changed, { name: 'Another', description: undefined }))).toMatchObject({ name: 'Another' });
    expect(
      stepsOfFile(file)
        .map(({ id }) => id)
        .slice(0, 2),
    ).toEqual(['email_welcome', 'sms_12h']);
  });

  test('a step moves to its new place', () => {
    const file = ['a', 'b', 'c'].reduce((yaml, id) => insertStep(yaml, { ...step(id, '1h'), at: undefined, after: '1h' }, 9), empty);
    expect(definitionOf(changeStep(file, 'c', {}, 0) ?? '').steps.map(({ id }) => id)).toEqual(['c', 'a', 'b']);
    expect(definitionOf(changeStep(file, 'a', {}, 1) ?? '').steps.map(({ id }) => id)).toEqual(['b', 'a', 'c']);
  });

  test.each([
    [{ delayValue: 12, delayUnit: 'hours', anchor: 'enrollment' }, { at: '12h' }],
    [{ delayValue: 1.5, delayUnit: 'days', anchor: 'previous' }, { after: '36h' }],
    [{ delayValue: 0, delayUnit: 'minutes', anchor: 'event' }, { after: '0s' }],
  ] as const)('a delay of %o is %o in the file', (delay, field) => {
    expect(dueField(delay)).toEqual(field);
  });
});

describe('a form', () => {
  const presets = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  const before = [manyFields, ...presets.map((name) => readFileSync(`${folder}${name}`, 'utf8')), 'steps: &a [1]\nmore: *a\n', 'no map', ': : :', ''];

  test('the file says what the form says, whatever it said before', () => {
    const value = fc.jsonValue({ maxDepth: 2 });
    const step = fc.record({ id: fc.constantFrom('a', 'b', 'c', 'email_2h', 'email_24h'), at: fc.string(), when: value }, { requiredKeys: ['id'] });
    const form = fc.record(
      { name: fc.string(), steps: fc.array(step, { maxLength: 5 }), holdout: value, window: value, more: value },
      { requiredKeys: ['name'] },
    );
    fc.assert(
      fc.property(fc.constantFrom(null, ...before), form, (yaml, given) => {
        // As it comes by HTTP: without negative zeros.
        const said = JSON.parse(JSON.stringify(given)) as Record<string, unknown>;
        expect(saidIn(fileSaying(yaml, said))).toEqual(said);
      }),
    );
  });

  test('a form that says the same leaves the file as it is; one that changes a step leaves the comments', () => {
    for (const name of presets) {
      const yaml = readFileSync(`${folder}${name}`, 'utf8');
      const said = saidIn(yaml) as { steps: Record<string, unknown>[] };
      expect(definitionOf(fileSaying(yaml, { ...said }))).toEqual(definitionOf(yaml));
      const comments = (text: string) => text.split('\n').filter((line) => line.trim().startsWith('#')).length;
      expect(comments(fileSaying(yaml, { ...said, steps: said.steps.toReversed() }))).toBe(comments(yaml));
    }
  });
});
