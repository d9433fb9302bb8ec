// `npm run check`: every gate but the tests. A gate is a script of package.json named `check:…`, so that each can be run alone.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
// A small runner has two cores; more gates at once only make each slower.
const atOnce = 2;

interface Gate {
  name: string;
  command: string;
}

interface Outcome extends Gate {
  ok: boolean;
  /** Why it could not be run on this machine, as it says itself; null: it was. */
  skipped: string | null;
  output: string;
  tookMs: number;
}

function gatesOf(packageFile: string): Gate[] {
  const { scripts }: { scripts: Record<string, string> } = JSON.parse(readFileSync(packageFile, 'utf8'));
  return Object.entries(scripts).flatMap(([script, command]) =>
    script.startsWith('check:') ? [{ name: script.slice('check:'.length), command }] : [],
  );
}

/** Run one gate as npm would, without npm's half second. Never throws: a gate that cannot start has failed. */
function run(gate: Gate): Promise<Outcome> {
  const startedMs = performance.now();
  return new Promise((done) => {
    const child = spawn(gate.command, {
      cwd: root,
      shell: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0', PATH: [join(root, 'node_modules/.bin'), process.env['PATH']].join(delimiter) },
    });
    let output = '';
    const keep = (text: string) => {
      output += text;
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    const end = (ok: boolean) => {
      const skipped = ok ? (/^skipped: (.*)$/m.exec(output)?.[1] ?? null) : null;
      done({ ...gate, ok, skipped, output, tookMs: performance.now() - startedMs });
    };
    child.on('error', (error) => {
      keep(`${error.message}\n`);
      end(false);
    });
    child.on('close', (code) => end(code === 0));
  });
}

async function runAll(gates: Gate[], report: (outcome: Outcome) => void): Promise<Outcome[]> {
  const waiting = [...gates];
  const outcomes: Outcome[] = [];
  const lane = async () => {
    for (let gate = waiting.shift(); gate !== undefined; gate = waiting.shift()) {
      const outcome = await run(gate);
      outcomes.push(outcome);
      report(outcome);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return outcomes;
}

const gates = gatesOf(join(root, 'package.json'));
const widest = Math.max(...gates.map(({ name }) => name.length));
const outcomes = await runAll(gates, ({ ok, skipped, name, tookMs }) => {
  const became = skipped !== null ? 'skipped' : ok ? 'passed ' : 'FAILED ';
  console.log(`${became} ${name.padEnd(widest)}  ${(tookMs / 1000).toFixed(1).padStart(5)} s${skipped === null ? '' : `  ${skipped}`}`);
});
const failed = outcomes.filter(({ ok }) => !ok);
for (const { name, command, output } of failed) console.log(`\n── ${name}: ${command}\n${output.trim()}`);

const passed = outcomes.filter(({ ok, skipped }) => ok && skipped === null);
console.log(`\n${passed.length} passed, ${failed.length} failed`);
process.exitCode = failed.length > 0 || outcomes.length === 0 ? 1 : 0;
