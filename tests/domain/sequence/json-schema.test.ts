import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { sequenceJsonSchema } from '../../../domain/sequence/json-schema.ts';
import { parseSequence } from '../../../domain/sequence/parse-sequence.ts';
import { subjectKinds } from '../../../domain/subjects/index.ts';

const folder = fileURLToPath(new URL('../../../sequences/', import.meta.url));
const presets = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
const schema = sequenceJsonSchema(subjectKinds);
const accepts = (value: unknown) => z.fromJSONSchema(schema).safeParse(value).success;

test('sequences/sequence.schema.json is what the product reads; `npx rekindle schema > sequences/sequence.schema.json` writes it anew', () => {
  expect(JSON.parse(readFileSync(`${folder}sequence.schema.json`, 'utf8'))).toEqual(schema);
});

test.each(presets)('%s begins with a line by which editors find it, and fits', (name) => {
  const text = readFileSync(`${folder}${name}`, 'utf8');
  expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=./sequence.schema.json');
  expect(accepts(parse(text))).toBe(true);
});

const step = (more: object) => ({
  sequence: 'cart',
  name: 'Cart',
  on: 'cart.abandoned',
  steps: [
    { id: 'a', at: '2h', channel: 'email', content: 'cart/a' },
    { id: 'b', at: '3h', channel: 'email', content: 'cart/b', ...more },
  ],
});

describe('it judges a step as the product does:', () => {
  test.each([
    {},
    { channel: ['sms', 'email'], onFailure: 'next-channel' },
    { window: { from: '09:00', days: ['mon'] } },
    { window: { to: '24:00' } },
    { when: 'replied' },
    { when: { not: { all: [{ opened: 'a' }, { any: [{ replied: 'a' }, 'converted'] }] } } },
    { when: { stage: '7d' } },
    { when: { stock: { below: 5 } } },
    { when: { attribute: { name: 'cart.units', atLeast: 2 } } },
    { when: { attribute: { name: 'contact.country', is: ['AT', 'DE'] } } },
    { maxRetries: 0, expires: '4h' },
    // Mistakes.
    { chanel: 'sms' },
    { channel: 'fax' },
    { channel: [] },
    { content: '../secrets' },
    { window: { from: '9:00' } },
    { window: { days: ['montag'] } },
    { window: { days: [] } },
    { when: { oppened: 'a' } },
    { when: { opened: 'a', clicked: 'a' } },
    { when: {} },
    { when: { all: [] } },
    { when: { stage: '5d' } },
    { when: { stock: {} } },
    { when: { attribute: { name: 'lead.budget', is: 3 } } },
    { when: { attribute: { name: 'cart.units' } } },
    { maxRetries: 11 },
    { onFailure: 'retry' },
    { expires: '2w' },
  ])('%j', (more) => {
    expect(accepts(step(more))).toBe(parseSequence(JSON.stringify(step(more))).ok);
  });
});

test.each([
  { reentry: { cooldown: '30d' } },
  { reentry: 'once-per-subject' },
  { reentry: { cooldown: 30 } },
  { reentry: 'always' },
  { priority: 6 },
  { together: 'many' },
  { overlap: 'allow' },
  { overlap: 'never' },
  { goal: { event: 'order.placed' } },
])('and a sequence: %j', (more) => {
  const file = { ...step({}), ...more };
  expect(accepts(file)).toBe(parseSequence(JSON.stringify(file)).ok);
});
