import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { type Mutant, mutants } from './mutants.ts';
import type { ProofReport } from './run-proof.ts';

const root = resolve(import.meta.dirname, '../..');
const copied = [
  'domain',
  'db',
  'integrations',
  'content',
  'operations',
  'config',
  'local',
  'sequences',
  'tests/chaos',
  'tests/proof',
  'tests/helpers',
  'package.json',
  'tsconfig.json',
];
/** A mutant that shows nothing for so long has survived. Histories are counted and not seconds: a busy machine only takes longer. */
const withinHistories = 1_200;

/** Thrown when a mutant's text is no longer in the product: the product changed, and it is not known whether the rule is still covered. */
export class PatchError extends Error {
  constructor(mutant: string, file: string, found: number) {
    super(`mutant ${mutant}: its text stands ${found} times in ${file}, expected once. Bring tests/proof/mutants.ts up to date with the product.`);
    this.name = 'PatchError';
  }
}

/** The product's text with a rule left out. @throws PatchError */
function mutate(folder: string, mutant: Mutant): void {
  for (const { file, from, to } of mutant.patches) {
    const path = join(folder, file);
    const text = readFileSync(path, 'utf8');
    const found = text.split(from).length - 1;
    if (found !== 1) throw new PatchError(mutant.name, file, found);
    writeFileSync(
      path,
      text.replace(from, () => to),
    );
  }
}

/** Functions of the database that the mutant changes are made anew: the database was migrated with the product's own. */
async function replaceFunctions(folder: string, mutant: Mutant, url: string): Promise<void> {
  const changed = mutant.patches.filter(({ file }) => file.startsWith('db/functions/'));
  if (changed.length === 0) return;
  const owner = new pg.Client({ connectionString: url });
  await owner.connect();
  try {
    for (const { file } of changed)
      await owner.query(readFileSync(join(folder, file), 'utf8').replace('create function', 'create or replace function'));
  } finally {
    await owner.end();
  }
}

/** @throws PatchError when any mutant no longer fits the product */
export function checkPatches(): void {
  for (const mutant of mutants) {
    for (const { file, from } of mutant.patches) {
      const found = readFileSync(join(root, file), 'utf8').split(from).length - 1;
      if (found !== 1) throw new PatchError(mutant.name, file, found);
    }
  }
}

export interface MutantResult {
  /** The violation that gave it away; null: it survived. */
  found: string | null;
  afterMs: number;
  histories: number;
  /** What was found instead, or why the run ended. */
  said: string;
}

/** Run the same proof on a copy of the product without a rule, in a process of its own. @param url - an empty, migrated database */
export async function runMutant(mutant: Mutant, url: string, seed: number): Promise<MutantResult> {
  const folder = mkdtempSync(join(tmpdir(), 'rekindle-mutant-'));
  try {
    for (const part of copied) cpSync(join(root, part), join(folder, part), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    mutate(folder, mutant);
    await replaceFunctions(folder, mutant, url);
    const { output, errors } = await runChild(folder, [
      '--database',
      url,
      '--seed',
      String(seed),
      '--histories',
      String(withinHistories),
      '--stop-at',
      mutant.expects.source,
      '--json',
    ]);
    let report: ProofReport;
    try {
      report = JSON.parse(output) as ProofReport;
    } catch {
      return { found: null, afterMs: 0, histories: 0, said: errors.slice(-2_000) };
    }
    const violations = report.violations.flatMap((v) => v.violations);
    return {
      found: violations.find((v) => mutant.expects.test(v)) ?? null,
      afterMs: report.tookMs,
      histories: report.histories,
      said: violations.join('; '),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function runChild(cwd: string, args: string[]): Promise<{ output: string; errors: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'tests/proof/main.ts', ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', () => {
      done({ output, errors });
    });
  });
}

/** One mutant after the other. @returns whether each was found out in time */
export async function runMutants(options: {
  newDatabase: (name: string) => Promise<string>;
  seed: number;
  only: string | null;
  say: (line: string) => void;
}): Promise<boolean> {
  checkPatches();
  const chosen = mutants.filter((m) => options.only === null || m.name === options.only);
  if (chosen.length === 0) throw new Error(`no mutant is called ${options.only ?? ''}; known are ${mutants.map((m) => m.name).join(', ')}`);
  let all = true;
  for (const [index, mutant] of chosen.entries()) {
    const result = await runMutant(mutant, await options.newDatabase(`mutant_${index}`), options.seed);
    all &&= result.found !== null;
    const seconds = (result.afterMs / 1_000).toFixed(1).padStart(5);
    options.say(
      result.found === null
        ? `SURVIVED  ${mutant.name}: without ${mutant.without}, ${result.histories} histories in ${seconds} s showed nothing. ${result.said}`
        : `found     ${mutant.name.padEnd(26)} ${seconds} s, ${String(result.histories).padStart(4)} histories: ${result.found}`,
    );
  }
  return all;
}
