// The functions of the database: each has one current text in db/functions/, and the migrations are generated from these files.
//
//   tsx local/database-functions.ts --check            do the migrations lead to exactly these texts?
//   tsx local/database-functions.ts --generate <name>  write a migration with everything that differs
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const functionsFolder = join(root, 'db/functions');
const migrationsFolder = join(root, 'db/migrations');
const breakpoint = '--> statement-breakpoint';

interface Journal {
  entries: { idx: number; version: string; when: number; tag: string; breakpoints: boolean }[];
}

const readJournal = (): Journal => JSON.parse(readFileSync(join(migrationsFolder, 'meta/_journal.json'), 'utf8'));

/** A text for comparison: without comments, `or replace` and differences of white space. */
function normalised(text: string): string {
  return text
    .replaceAll(/^\s*--.*$/gm, '')
    .replace(/create (or replace )?function/, 'create function')
    .replaceAll(/\s+/g, ' ')
    .replace(/;\s*$/, '')
    .trim();
}

const definition = /^\s*create (?:or replace )?function (?:public\.)?(\w+)\s*\(/m;

/** The last definition of each function that the migrations leave in place, by name. */
function functionsInMigrations(): Map<string, string> {
  const found = new Map<string, string>();
  for (const { tag } of readJournal().entries) {
    for (const statement of readFileSync(join(migrationsFolder, `${tag}.sql`), 'utf8').split(breakpoint)) {
      const name = definition.exec(statement)?.[1];
      if (name !== undefined) found.set(name, statement);
      for (const [, dropped] of statement.matchAll(/^drop function (?:if exists )?(\w+)/gm))
        if (dropped !== undefined && name === undefined) found.delete(dropped);
    }
  }
  return found;
}

/** The current texts, by name. A file holds one function and has its name. */
function currentFunctions(): Map<string, string> {
  const files = readdirSync(functionsFolder).filter((file) => file.endsWith('.sql'));
  return new Map(
    files.map((file) => {
      const text = readFileSync(join(functionsFolder, file), 'utf8');
      const name = definition.exec(text)?.[1];
      if (name !== file.slice(0, -'.sql'.length))
        throw new Error(`db/functions/${file} defines ${name ?? 'no function'}: a file has the name of its function.`);
      return [name, text];
    }),
  );
}

/** Functions without a file that a current function calls. */
function usedWithoutFile(current: ReadonlyMap<string, string>, migrated: ReadonlyMap<string, string>): string[] {
  const bodies = [...current.values()].map((text) => text.replaceAll(/--.*$/gm, ''));
  const called = (name: string) => new RegExp(`\\b${name}\\(`);
  return [...migrated.keys()].filter((name) => !current.has(name) && bodies.some((body) => called(name).test(body)));
}

/** The functions that differ between files and migrations, in an order in which each is defined after those that it calls. */
function changedFunctions(): string[] {
  const current = currentFunctions();
  const migrated = functionsInMigrations();
  const changed = [...current.keys()].filter((name) => normalised(current.get(name) ?? '') !== normalised(migrated.get(name) ?? ''));
  const sorted: string[] = [];
  const add = (name: string) => {
    if (sorted.includes(name)) return;
    const text = (current.get(name) ?? '').replaceAll(/--.*$/gm, '');
    for (const other of changed) if (other !== name && text.includes(`${other}(`) && !(current.get(other) ?? '').includes(`${name}(`)) add(other);
    sorted.push(name);
  };
  for (const name of changed.sort()) add(name);
  return sorted;
}

/** Types of the arguments, as `grant` wants them. */
function signatureOf(name: string, text: string): string {
  const open = text.indexOf('(', text.search(definition));
  let depth = 0;
  let end = open;
  for (; end < text.length; end++) {
    if (text[end] === '(') depth++;
    if (text[end] === ')' && --depth === 0) break;
  }
  const args = text
    .slice(open + 1, end)
    .replaceAll(/--.*$/gm, '')
    .split(/,(?![^(]*\))/)
    .map((arg) => arg.trim())
    .filter((arg) => arg !== '' && !/^out /i.test(arg));
  return `${name}(${args.map((arg) => arg.replace(/^(?:in |inout )?\w+\s+/i, '').replace(/\s+default\s.*$/i, '')).join(', ')})`;
}

function generate(name: string): void {
  const changed = changedFunctions();
  if (changed.length === 0) {
    console.log('The migrations lead to every function as db/functions/ has it: nothing to generate.');
    return;
  }
  const current = currentFunctions();
  const migrated = functionsInMigrations();
  const journal = readJournal();
  const last = journal.entries.at(-1);
  if (last === undefined) throw new Error('db/migrations/meta/_journal.json has no entries.');
  const tag = `${String(last.idx + 1).padStart(4, '0')}_${name}`;
  const statements = changed.map((fn) => {
    const text = (current.get(fn) ?? '').trim();
    return migrated.has(fn) ? text.replace('create function', 'create or replace function') : text;
  });
  const fresh = changed.filter((fn) => !migrated.has(fn)).map((fn) => signatureOf(fn, current.get(fn) ?? ''));
  const rights =
    fresh.length === 0
      ? []
      : [`revoke execute on function ${fresh.join(', ')} from public;`, `grant execute on function ${fresh.join(', ')} to rekindle_app;`];
  writeFileSync(join(migrationsFolder, `${tag}.sql`), `${[...statements, ...rights].join(`\n${breakpoint}\n`)}\n`);
  journal.entries.push({ ...last, idx: last.idx + 1, when: last.when + 1_000, tag });
  writeFileSync(join(migrationsFolder, 'meta/_journal.json'), `${JSON.stringify(journal, null, 2)}\n`);
  copySnapshot(last.tag, tag);
  console.log(`db/migrations/${tag}.sql: ${changed.join(', ')}`);
}

/** Functions are no part of drizzle's snapshots: copy the last one under a new id, so that the chain continues. */
function copySnapshot(before: string, tag: string): void {
  const fileOf = (migration: string) => join(migrationsFolder, `meta/${migration.slice(0, 4)}_snapshot.json`);
  const snapshot: { id: string; prevId: string } = JSON.parse(readFileSync(fileOf(before), 'utf8'));
  writeFileSync(fileOf(tag), `${JSON.stringify({ ...snapshot, id: randomUUID(), prevId: snapshot.id }, null, 2)}\n`);
}

function check(): string[] {
  const current = currentFunctions();
  const migrated = functionsInMigrations();
  return [
    ...changedFunctions().map(
      (name) => `db/functions/${name}.sql differs from what the migrations lead to: run \`npm run generate:functions -- <name of the migration>\`.`,
    ),
    ...usedWithoutFile(current, migrated).map((name) => `${name} is called by a current function, but has no text in db/functions/.`),
  ];
}

const [mode, name] = process.argv.slice(2);
if (mode === '--generate' && name !== undefined && /^[a-z][a-z0-9_]*$/.test(name)) generate(name);
else if (mode === '--check') {
  const problems = check();
  if (problems.length > 0) {
    console.error(problems.join('\n'));
    process.exitCode = 1;
  }
} else {
  console.error('Usage: tsx local/database-functions.ts --check | --generate <name_of_the_migration>');
  process.exitCode = 1;
}
