// Are the committed migrations all that the schema needs, are the published ones as they were, and may each new one run while the build
// before still does? The first is checked by generating into a copy and expecting nothing new; docs/migrations.md has the rules of the last.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { unsafeStatements } from './migration-rules.ts';

const root = resolve(import.meta.dirname, '..');
const migrations = join(root, 'db/migrations');
// drizzle-kit ends with 0 even where it failed or wanted to ask a question: only this sentence means success.
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

/** What was changed in migrations that installations have run already, and what in the others would break the build before. */
function findUnsafe(tags: string[]): string[] {
  // A release adds its migrations here: by tag, the SHA-256 of the file.
  const published: Record<string, string> = JSON.parse(readFileSync(join(migrations, 'published.json'), 'utf8'));
  const textOf = (tag: string) => readFileSync(join(migrations, `${tag}.sql`), 'utf8').replaceAll('\r\n', '\n');
  return tags.flatMap((tag) => {
    const digest = published[tag];
    if (digest === undefined) return unsafeStatements(textOf(tag)).map((line) => `${tag}.sql ${line}\n  (docs/migrations.md says what to do)`);
    const same = createHash('sha256').update(textOf(tag)).digest('hex') === digest;
    return same ? [] : [`${tag}.sql is published and must not be changed: write a new migration.`];
  });
}

/** Why the committed migrations do not lead to the schema, one paragraph each; empty when they do. */
function findProblems(folder: string): string[] {
  const journal: { entries: { tag: string }[] } = JSON.parse(readFileSync(join(migrations, 'meta/_journal.json'), 'utf8'));
  const listed = journal.entries.map(({ tag }) => `${tag}.sql`);
  const present = sqlFiles(migrations);
  const torn = [
    ...listed.filter((file) => !present.includes(file)).map((file) => `${file} is in the journal, but not in db/migrations/.`),
    ...present.filter((file) => !listed.includes(file)).map((file) => `${file} is not in the journal: it would never run.`),
  ];
  if (torn.length > 0) return torn;
  const unsafe = findUnsafe(journal.entries.map(({ tag }) => tag));
  const { said, added } = generateInto(folder);
  if (added.length === 0 && said.includes(nothingNew)) return unsafe;
  return [
    ...unsafe,
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
