import { segmentNames } from '../people/segments.ts';
import { silenceStages } from '../people/silence-stage.ts';
import type { Condition } from './definition.ts';

/** Where `conditionJsonSchema` stands in the schema of a file. */
export const conditionRef = '#/$defs/condition';

type KindOf<C> = C extends string ? never : keyof C;

const self = { $ref: conditionRef };
const step = { type: 'string', description: 'An earlier step.' };
const range = {
  type: 'object',
  properties: { atLeast: { type: 'number', minimum: 0 }, below: { type: 'number', minimum: 0 } },
  additionalProperties: false,
  minProperties: 1,
};
const plain = { type: ['string', 'number', 'boolean'] };

/** What editors know of a condition. `readCondition` decides. @param attributes - the names that a condition may ask for */
export function conditionJsonSchema(attributes: readonly string[]): Record<string, unknown> {
  const kinds: Record<KindOf<Condition>, object> = {
    opened: step,
    clicked: step,
    replied: step,
    segment: { enum: segmentNames },
    stage: { enum: silenceStages },
    value: { ...range, description: 'In the subject’s currency.' },
    stock: { ...range, description: 'Units that are left of any one thing.' },
    attribute: {
      type: 'object',
      properties: { name: { enum: attributes }, is: { anyOf: [plain, { type: 'array', items: plain, minItems: 1 }] }, ...range.properties },
      required: ['name'],
      minProperties: 2,
      additionalProperties: false,
    },
    arm: { type: 'string', description: 'One of the `arms` of the sequence.' },
    not: self,
    all: { type: 'array', items: self, minItems: 1 },
    any: { type: 'array', items: self, minItems: 1 },
  };
  return {
    description: 'When the step goes out; one that cannot be known counts as no.',
    anyOf: [
      { enum: ['converted', 'replied'] },
      { type: 'object', properties: kinds, additionalProperties: false, minProperties: 1, maxProperties: 1 },
    ],
  };
}
