import { expect, test } from 'vitest';
import { billOfMaterials } from '../../local/sbom.ts';

test('the bill of materials lists what production installs, each package with its licence', () => {
  const bill = billOfMaterials();
  expect(bill).toMatchObject({ bomFormat: 'CycloneDX', metadata: { component: { name: 'rekindle' } } });
  const names = bill.components.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['fastify', 'drizzle-orm', 'web-push']));
  expect(names).not.toContain('vitest');
  const licences = bill.components.map(({ name, licenses }) => [
    name,
    licenses?.map((l) => l.expression ?? l.license?.id ?? l.license?.name).join() ?? '',
  ]);
  // Its licence is MIT, in words that npm does not read.
  expect(licences.filter(([, licence]) => licence === '').map(([name]) => name)).toEqual(['slick']);
  // Of those that ask for something when the product is passed on.
  expect(licences.filter(([, licence]) => /GPL/.test(licence ?? ''))).toEqual([]);
});
