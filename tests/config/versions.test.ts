import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

// A release has one version, wherever it is said.
const read = (file: string) => readFileSync(resolve(import.meta.dirname, '../..', file), 'utf8');
const { version } = JSON.parse(read('package.json')) as { version: string };

test.each([
  ['package-lock.json', `"name": "rekindle",\n  "version": "${version}"`],
  ['sdk/package.json', `"version": "${version}"`],
  ['sdk/openapi.json', `"version": "${version}"`],
  ['api/routes/open-api.ts', `version: '${version}'`],
  ['mcp/server.ts', `version: '${version}'`],
  ['docs/going-live.md', `rekindle: ${version}`],
  ['docs/upgrading.md', `## To ${version}`],
  ['CHANGELOG.md', `## ${version}`],
])('%s says it', (file, text) => {
  expect(read(file)).toContain(text);
});
