import { expect, test } from 'vitest';
import { nameOf, productionPackages, readLock } from '../../local/lock.ts';
import { billOfMaterials } from '../../local/sbom.ts';

test('the bill of materials lists what production installs, each package with its licence', () => {
  const bill = billOfMaterials();
  expect(bill).toMatchObject({ bomFormat: 'CycloneDX', metadata: { component: { name: 'rekindle' } } });
  const names = bill.components.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['fastify', 'drizzle-orm', 'web-push', '@temporalio/worker']));
  const installed = Object.entries(productionPackages(readLock())).map(([folder, { version }]) => `${nameOf(folder)}@${version}`);
  expect(new Set(bill.components.map(({ name, version }) => `${name}@${version}`))).toEqual(new Set(installed));
  const listed = new Set(bill.components.map((component) => component['bom-ref']));
  expect(bill.dependencies.filter(({ ref }) => ref !== 'rekindle@1.0.0' && !listed.has(ref))).toEqual([]);
  expect(names).not.toContain('vitest');
  const licences = bill.components.map(({ name, licenses }) => [
    name,
    licenses?.map((l) => l.expression ?? l.license?.id ?? l.license?.name).join() ?? '',
  ]);
  // Their licences are in words that npm does not read; local/licence-page.ts has them.
  expect(licences.filter(([, licence]) => licence === '').map(([name]) => name)).toEqual(['slick', 'unionfs']);
  // Of those that ask for something when the product is passed on.
  expect(licences.filter(([, licence]) => /GPL/.test(licence ?? ''))).toEqual([]);
});
