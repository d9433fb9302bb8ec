// `npm run licences` writes docs/licences.md; with --check, a gate: each dependency has a licence that is allowed here, and the page is current.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type LicensedPackage, licencePage, notAllowed, readLicences } from './licence-page.ts';
import { readLock } from './lock.ts';

const page = join(resolve(import.meta.dirname, '..'), 'docs/licences.md');
const packages: LicensedPackage[] = readLicences(readLock());
const problems = notAllowed(packages).map(
  ({ name, version, licence }) =>
    `${name} ${version}: ${licence ?? 'states no licence'}. Use another package, or, where the licence may be passed on with ours, name it in local/licence-page.ts.`,
);
const wanted = licencePage(packages);
if (!process.argv.includes('--check')) writeFileSync(page, wanted);
else if (!existsSync(page) || readFileSync(page, 'utf8') !== wanted)
  problems.push('docs/licences.md is not what package-lock.json says: run `npm run licences`.');

if (problems.length > 0) console.error(problems.join('\n'));
else console.log(`${packages.length} packages, each with an allowed licence`);
process.exitCode = problems.length > 0 ? 1 : 0;
