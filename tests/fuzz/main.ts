// `npm run fuzz`: schemathesis against /openapi.json of a shop of its own, or damaged webhooks against the receivers. See docs/operations.md.
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
--seconds S    receivers only: how long; default: until it is stopped`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string' },
    examples: { type: 'string', default: '100' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    only: { type: 'string', default: '/' },
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

async function fuzz(): Promise<number> {
  const program = await findSchemathesis(say);
  say('Starting a shop of its own …');
  const shop = await openFuzzedShop();
  // Schemathesis keeps files of its own where it runs.
  const dir = mkdtempSync(join(tmpdir(), 'rekindle-fuzz-'));
  try {
    writeFileSync(join(dir, 'schemathesis.toml'), configOf(shop));
    const args = ['run', `${shop.url}/openapi.json`, '--checks', 'all', '--max-examples', values.examples, '--seed', values.seed];
    args.push('--include-path-regex', `^${values.only}`);
    // A schema does not say every rule about a value (a time zone, a text that compiles), and wrong keys are answered 429 after a few. That every route
    // refuses who may not ask is tested for every role (tests/api/keys.test.ts).
    args.push('--exclude-checks', 'positive_data_acceptance,ignored_auth,missing_required_header');
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

try {
  const code = await fuzz();
  console.log(`${code === 0 ? 'The API kept its description.' : 'The API broke its description.'} Again: npm run fuzz -- --seed ${values.seed}`);
  process.exit(code);
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  console.error(error.message);
  process.exit(1);
}
