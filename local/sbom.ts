import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { nameOf, productionPackages, readLock } from './lock.ts';

const root = resolve(import.meta.dirname, '..');

/** The part of a CycloneDX document that is read here. Source: cyclonedx.org/docs/1.5/json */
export interface BillOfMaterials {
  bomFormat: string;
  specVersion: string;
  metadata: { component: { name: string; version: string } };
  dependencies: { ref: string }[];
  components: { 'bom-ref': string; name: string; version: string; licenses?: { license?: { id?: string; name?: string }; expression?: string }[] }[];
}

/**
 * Which packages, in which versions and under which licences, the built product consists of: those that production installs, as the lock file has them.
 * @throws Error with what npm said
 */
export function billOfMaterials(): BillOfMaterials {
  // Not by --omit dev: npm 11.19 then leaves out a third of what is installed, Temporal's packages among it.
  const made = spawnSync('npm sbom --sbom-format cyclonedx --package-lock-only', { cwd: root, shell: true, encoding: 'utf8', maxBuffer: 2 ** 26 });
  if (made.status !== 0) throw new Error(`npm made no bill of materials: ${made.stderr.trim()}`);
  const bill: BillOfMaterials = JSON.parse(made.stdout);
  const { name }: { name: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  // npm takes the name of the folder.
  bill.metadata.component.name = name;
  const installed = new Set(Object.entries(productionPackages(readLock())).map(([folder, { version: its }]) => `${nameOf(folder)}@${its}`));
  const left = new Set(
    bill.components.filter((component) => !installed.has(`${component.name}@${component.version}`)).map((component) => component['bom-ref']),
  );
  bill.components = bill.components.filter((component) => !left.has(component['bom-ref']));
  bill.dependencies = bill.dependencies.filter(({ ref }) => !left.has(ref));
  return bill;
}
