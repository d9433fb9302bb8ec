// `npm run fuzz`: schemathesis against /openapi.json of a shop of its own, or damaged webhooks against the receivers. See docs/operations.md.
// `npm run check:fuzz` is its short run: the same few requests to every operation each time.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { StartError } from '../../local/start-error.ts';
import { openFuzzedShop } from './fuzzed-shop.ts';
import { fuzzReceivers } from './receivers/fuzz-receivers.ts';
import { configOf } from './schemathesis-config.ts';
import { findSchemathesis } from './schemathesis-program.ts';

const usage = `npm run fuzz -- [options]             the API, by its own description
npm run fuzz -- receivers [options]   damaged webhooks, until one is lost

--examples N   how many random requests for each route; default 100
--seed S       which ones; the same seed gives the same; default: a new one
--only PATH    routes whose path begins so
--short        a few requests to every operation, the same each time; skipped, with the reason, where there is no Python
--seconds S    receivers only: how long; default: until it is stopped`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string' },
    examples: { type: 'string', default: '100' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    only: { type: 'string', default: '/' },
    short: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const numbers = [values.examples, values.seed, values.seconds ?? '0'];
const [what] = positionals;
if (values.help || numbers.some((text) => !/^\d+$/.test(text)) || positionals.length > 1 || (what !== undefined && what !== 'receivers')) {
  console.log(usage);
  process.exit(values.help ? 0 : 2);
}
if (what === 'receivers') {
  process.exit(fuzzReceivers(Number(values.seed), values.seconds === undefined ? null : Number(values.seconds) * 1_000, console.log));
}

const say = (line: string) => console.error(line);

/** Of the short run: what no speed of the machine and no state of the shop decides. */
const shortChecks = ['not_a_server_error', 'status_code_conformance', 'content_type_conformance', 'response_schema_conformance'];

function choices(): string[] {
  if (values.short)
    return [
      ...[
        '--checks',
        shortChecks.join(','),
        '--phases',
        'fuzzing',
        '--max-examples',
        '3',
        '--seed',
        '1',
        '--generation-deterministic',
        '--no-shrink',
      ],
      ...['--suppress-health-check', 'all', '--warnings', 'off'],
    ];
  // A schema does not say every rule about a value (a time zone, a text that compiles), and wrong keys are answered 429 after a few. That every route
  // refuses who may not ask is tested for every role (tests/api/keys.test.ts).
  const unjudged = 'positive_data_acceptance,ignored_auth,missing_required_header';
  return ['--checks', 'all', '--exclude-checks', unjudged, '--max-examples', values.examples, '--seed', values.seed];
}

async function fuzz(program: string): Promise<number> {
  say('Starting a shop of its own …');
  const shop = await openFuzzedShop().catch((error: unknown) => {
    if (!values.short) throw error;
    // Its parts have limits of time to start in, which a busy machine may not keep.
    say(`It did not start (${String(error)}): once more …`);
    return openFuzzedShop();
  });
  // Schemathesis keeps files of its own where it runs.
  const dir = mkdtempSync(join(tmpdir(), 'rekindle-fuzz-'));
  try {
    writeFileSync(join(dir, 'schemathesis.toml'), configOf(shop, { patient: values.short }));
    const args = ['run', `${shop.url}/openapi.json`, '--include-path-regex', `^${values.only}`, ...choices()];
    const env = {
      ...process.env,
      SCHEMATHESIS_HOOKS: fileURLToPath(new URL('sign_webhooks.py', import.meta.url)),
      PYTHONDONTWRITEBYTECODE: '1',
      FUZZ_GENERIC_SECRET: shop.connections.generic.secret,
      FUZZ_SHOPIFY_SECRET: shop.connections.shopify.secret,
    };
    const child = spawn(program, args, { cwd: dir, env, stdio: ['ignore', 'inherit', 'inherit'] });
    const [code] = await once(child, 'exit');
    return code === 0 ? 0 : 1;
  } finally {
    await shop.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** @returns null where it is to be skipped, which has been said */
async function findProgram(): Promise<string | null> {
  try {
    return await findSchemathesis(say);
  } catch (error) {
    if (!values.short || !(error instanceof StartError)) throw error;
    console.log(`skipped: ${error.message}`);
    return null;
  }
}

try {
  const program = await findProgram();
  if (program === null) process.exit(0);
  const code = await fuzz(program);
  const again = values.short ? '--short' : `--seed ${values.seed}`;
  console.log(`${code === 0 ? 'The API kept its description.' : 'The API broke its description.'} Again: npm run fuzz -- ${again}`);
  process.exit(code);
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  console.error(error.message);
  process.exit(1);
}
