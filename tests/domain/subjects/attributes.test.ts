import { expect, test } from 'vitest';
import { attributeNamesFor, attributesOf } from '../../../domain/subjects/attributes.ts';
import { subjectKinds } from '../../../domain/subjects/index.ts';

test.each(subjectKinds.all.map((kind) => [kind.kind, kind] as const))(
  'every attribute that a condition about a %s may name has a value',
  (_, kind) => {
    const details: unknown = kind.details.parse({});
    const person = { country: 'AT', region: null, language: 'de', orders: 0, hasPhone: true };
    expect(Object.keys(attributesOf(kind, details, person)).sort()).toEqual(attributeNamesFor(kind).sort());
  },
);
