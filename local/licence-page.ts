import { type Lock, nameOf, productionPackages } from './lock.ts';

export interface LicensedPackage {
  name: string;
  version: string;
  /** An SPDX expression; null: its package.json states none, or in words that are no identifier. */
  licence: string | null;
  /** Part of the product, not of its development alone. */
  shipped: boolean;
}

/** What asks for no more than its notice, which stays in each package. Identifiers of spdx.org/licenses. */
const permissive = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'PSF-2.0',
  'Python-2.0',
  'Unlicense',
  'WTFPL',
];
/** Data that name their authors, and are passed on unchanged. */
const attribution = ['CC-BY-3.0', 'CC-BY-4.0'];
/** Asks for the source of its own files where they are changed; ours are separate files, and change nothing. */
const ofItsOwnFiles = ['Artistic-2.0', 'MPL-2.0'];
const allowed = new Set([...permissive, ...attribution, ...ofItsOwnFiles]);

/** Read in the package itself, because its package.json says it in a way that npm does not read. By name and version: a new one is read anew. */
const readByHand: Record<string, string> = {
  // "MIT (http://mootools.net/license.txt)"
  'slick@1.12.2': 'MIT',
  // An old `licenses` list.
  'unionfs@4.6.0': 'Unlicense',
};

/** Each version once, in alphabetical order, however often it is installed. */
export function readLicences(lock: Lock): LicensedPackage[] {
  const found = new Map<string, LicensedPackage>();
  const production = productionPackages(lock);
  for (const [folder, { version, license }] of Object.entries(lock.packages)) {
    if (folder === '') continue;
    const name = nameOf(folder);
    const id = `${name}@${version}`;
    const shipped = folder in production || found.get(id)?.shipped === true;
    found.set(id, { name, version, licence: readByHand[id] ?? license ?? null, shipped });
  }
  return [...found.values()].toSorted((a, b) => compare(a.name, b.name) || compare(a.version, b.version));
}

// Not by locale: the page must be the same on every machine.
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** Of alternatives one has to be allowed, of what applies together all. */
export function isAllowed(licence: string | null): boolean {
  if (licence === null) return false;
  return licence
    .replaceAll(/[()]/g, '')
    .split(/ OR /)
    .some((alternative) => alternative.split(/ AND /).every((one) => allowed.has(one.trim())));
}

export function notAllowed(packages: readonly LicensedPackage[]): LicensedPackage[] {
  return packages.filter(({ licence }) => !isAllowed(licence));
}

/** The most frequent licence first, with its packages as `name version`. */
function byLicence(packages: readonly LicensedPackage[]): [string, string[]][] {
  const found = new Map<string, string[]>();
  for (const { licence, name, version } of packages) {
    const key = licence ?? 'none stated';
    found.set(key, [...(found.get(key) ?? []), `${name} ${version}`]);
  }
  return [...found].toSorted(([a, its], [b, others]) => others.length - its.length || compare(a, b));
}

/** docs/licences.md, of what package-lock.json states. */
export function licencePage(packages: readonly LicensedPackage[]): string {
  const parts = [
    ['In the product', packages.filter(({ shipped }) => shipped)],
    ['For development alone', packages.filter(({ shipped }) => !shipped)],
  ] as const;
  const lines = [
    '# Licences of the dependencies',
    '',
    'Rekindle is under the [MIT licence](../LICENSE). This page lists what it is made with, as `package-lock.json` has it on any platform. `npm run licences` writes it; the gate `licences` of',
    '`npm run check` fails where a package has a licence that is not allowed (`local/licence-page.ts`), or this page is old. What an image or a package holds is in its `sbom.cdx.json` as well.',
  ];
  for (const [title, those] of parts) {
    lines.push('', `## ${title}`, '', `${those.length} packages.`, '');
    for (const [licence, names] of byLicence(those)) lines.push(`**${licence}** (${names.length}): ${names.join(', ')}.`, '');
    lines.pop();
  }
  return `${lines.join('\n')}\n`;
}
