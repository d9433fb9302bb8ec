// Are the committed migrations all that the schema needs? Generates into a copy and expects nothing new.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const migrations = join(root, 'db/migrations');
// drizzle-kit ends with 0 even where it failed or wanted to ask a question: only this sentence is a yes.
const nothingNew = 'No schema changes, nothing to migrate';

function sqlFiles(folder: string): string[] {
  return readdirSync(folder).filter((file) => file.endsWith('.sql'));
}

function generateInto(folder: string): { said: string; added: string[] } {
  const out = join(folder, 'migrations');
  cpSync(migrations, out, { recursive: true });
  const config = join(folder, 'drizzle.config.ts');
  const original = relative(folder, join(root, 'db/drizzle.config.ts')).replaceAll('\\', '/');
  const outForKit = relative(root, out).replaceAll('\\', '/');
  writeFileSync(config, `import config from '${original}';\nexport default { ...config, out: './${outForKit}' };\n`);
  const before = new Set(sqlFiles(out));
  const kit = spawnSync(`drizzle-kit generate --config "${relative(root, config)}"`, {
    cwd: root,
    shell: true,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const added = sqlFiles(out).filter((file) => !before.has(file));
  return { said: `${kit.stdout}\n${kit.stderr}`, added: added.map((file) => readFileSync(join(out, file), 'utf8')) };
}

/** What keeps the committed migrations from leading to the schema, one paragraph each; empty when they do. */
function findProblems(folder: string): string[] {
  const journal: { entries: { tag: string }[] } = JSON.parse(readFileSync(join(migrations, 'meta/_journal.json'), 'utf8'));
  const listed = journal.entries.map(({ tag }) => `${tag}.sql`);
  const present = sqlFiles(migrations);
  const torn = [
    ...listed.filter((file) => !present.includes(file)).map((file) => `${file} is in the journal, but not in db/migrations/.`),
    ...present.filter((file) => !listed.includes(file)).map((file) => `${file} is not in the journal: it would never run.`),
  ];
  const { said, added } = generateInto(folder);
  if (added.length === 0 && said.includes(nothingNew)) return torn;
  return [
    ...torn,
    added.length > 0 ? added.join('\n') : said,
    'db/schema/ and db/migrations/ differ: run `npm run generate` and commit what it writes.',
  ];
}

mkdirSync(join(root, '.rekindle'), { recursive: true });
// Inside the project: drizzle-kit takes paths relative to where it runs.
const folder = mkdtempSync(join(root, '.rekindle/migrations-'));
try {
  const problems = findProblems(folder);
  if (problems.length > 0) {
    console.error(problems.join('\n'));
    process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
