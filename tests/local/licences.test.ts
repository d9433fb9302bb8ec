import { expect, test } from 'vitest';
import { isAllowed, licencePage, notAllowed, readLicences } from '../../local/licence-page.ts';

const lock = {
  lockfileVersion: 3,
  packages: {
    '': { version: '1.0.0', license: 'MIT' },
    'node_modules/zod': { version: '4.0.0', license: 'MIT' },
    'node_modules/@scope/tool': { version: '1.2.3', license: 'GPL-3.0-only', dev: true },
    'node_modules/a/node_modules/both': { version: '2.0.0', license: 'ISC', dev: true },
    'node_modules/both': { version: '2.0.0', license: 'ISC' },
    'node_modules/silent': { version: '0.1.0' },
    'node_modules/companion': { version: '3.0.0', license: 'MIT', devOptional: true },
  },
};

test('each version is listed once, and is shipped where one place of it is', () => {
  expect(readLicences(lock)).toEqual([
    { name: '@scope/tool', version: '1.2.3', licence: 'GPL-3.0-only', shipped: false },
    { name: 'both', version: '2.0.0', licence: 'ISC', shipped: true },
    { name: 'companion', version: '3.0.0', licence: 'MIT', shipped: false },
    { name: 'silent', version: '0.1.0', licence: null, shipped: true },
    { name: 'zod', version: '4.0.0', licence: 'MIT', shipped: true },
  ]);
});

test('a licence that is not allowed, and none at all, are found, also of development packages', () => {
  expect(notAllowed(readLicences(lock)).map(({ name }) => name)).toEqual(['@scope/tool', 'silent']);
});

test.each([
  ['MIT', true],
  ['MIT OR GPL-3.0-only', true],
  ['(MIT AND GPL-3.0-only)', false],
  ['(ISC AND CC-BY-3.0)', true],
  ['AGPL-3.0-or-later', false],
  ['SEE LICENSE IN LICENSE.md', false],
  ['UNLICENSED', false],
])('%s: %s', (licence, expected) => {
  expect(isAllowed(licence)).toBe(expected);
});

test('the page names each package under its licence', () => {
  const page = licencePage(readLicences(lock));
  expect(page).toContain('## In the product\n\n3 packages.');
  expect(page).toContain('**ISC** (1): both 2.0.0.');
});
