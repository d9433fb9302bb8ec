// `npm run check:api`: the API breaks nobody who uses it as it was released, unless the changelog says so. What was released is
// local/released-api.json; a release writes it anew with `npm run check:api -- --release`. There was none yet: it is of the day on which this gate began.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type ApiDocument, breakingChanges, explainChanges, promisesOf, unannounced } from './api-changes.ts';

const root = resolve(import.meta.dirname, '..');
const releasedFile = join(root, 'local/released-api.json');
const read = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as ApiDocument;

// That this file is what the routes describe is what `check:client` checks.
const current = read(join(root, 'sdk/openapi.json'));
if (process.argv.includes('--release')) {
  writeFileSync(releasedFile, `${JSON.stringify(promisesOf(current))}\n`);
  console.log(`${releasedFile} is the API as it is now.`);
} else {
  const missing = unannounced(breakingChanges(read(releasedFile), current), readFileSync(join(root, 'CHANGELOG.md'), 'utf8'));
  if (missing.length > 0) console.error(explainChanges(missing));
  process.exitCode = missing.length > 0 ? 1 : 0;
}
