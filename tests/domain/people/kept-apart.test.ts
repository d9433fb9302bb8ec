import { expect, test } from 'vitest';
import { chooseContact } from '../../../domain/people/choose-contact.ts';
import { keptApart } from '../../../domain/people/kept-apart.ts';

const contact = (id: string, personId: string, apart: Record<string, string> = {}) => ({ id, personId, apart });

test('two persons are kept apart when a contact of one is kept apart from a contact of the other, whoever else belongs to them', () => {
  const areApart = keptApart([contact('a', 'a', { c: 'merge' }), contact('b', 'a'), contact('c', 'd'), contact('d', 'd'), contact('e', 'e')]);
  expect([areApart('a', 'd'), areApart('d', 'a'), areApart('a', 'e'), areApart('d', 'e')]).toEqual([true, true, false, false]);
});

test('an event that names both merges neither, and one that is apart from any who joined does not join', () => {
  const held = ['a', 'b', 'c'].map((id) => ({ kind: 'email', value: `${id}@example.com`, contactId: id, personId: id }));
  const names = held.map(({ kind, value }) => ({ kind, value }));
  expect(chooseContact(names, held)?.together).toEqual(['a', 'b', 'c']);
  const areApart = keptApart([contact('a', 'a'), contact('b', 'b', { c: 'merge' }), contact('c', 'c', { b: 'merge' })]);
  expect(chooseContact(names, held, areApart)).toMatchObject({ together: ['a', 'b'], missing: [{ kind: 'email', value: 'c@example.com' }] });
});
