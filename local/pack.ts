// `npm run pack`: the product as npm packages, in dist/packages/. docs/production.md says how a host installs them.
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { readLock } from './lock.ts';

const root = resolve(import.meta.dirname, '..');
const dist = join(root, 'dist');
const packages = join(dist, 'packages');

interface Manifest {
  name: string;
  version: string;
  license: string;
  engines: Record<string, string>;
  dependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
  overrides: Record<string, unknown>;
  allowScripts: Record<string, boolean>;
}
const manifest: Manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Programs of the server's package, and the compiled file that each starts. */
const serverPrograms = {
  rekindle: 'cli/rekindle.mjs',
  'rekindle-api': 'api/server.js',
  'rekindle-worker': 'worker/main.js',
  'rekindle-migrate': 'db/migrate.js',
};
/** Of what the commands read from files at run time: texts, layouts and presets. */
const commandAssets = ['content', 'sequences', 'cli'];

function run(command: string, cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, { cwd, shell: true, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command}: ${stdout}${stderr}`);
  return stdout;
}

/** A folder for one package, with what every package has. @param fields - of its package.json */
function begin(name: string, fields: Record<string, unknown>): string {
  const folder = join(packages, name);
  mkdirSync(folder, { recursive: true });
  const { version, license, engines } = manifest;
  writeFileSync(
    join(folder, 'package.json'),
    `${JSON.stringify({ name: `@rekindle/${name}`, version, license, type: 'module', engines, ...fields }, null, 2)}\n`,
  );
  for (const file of ['LICENSE', 'CHANGELOG.md']) copyFileSync(join(root, file), join(folder, file));
  return folder;
}

/** A program that runs a compiled file as `node file` would: npm starts it by a link of another name. */
function addProgram(folder: string, name: string, compiled: string): void {
  const file = join(folder, 'bin', `${name}.mjs`);
  mkdirSync(dirname(file), { recursive: true });
  const lines = [
    '#!/usr/bin/env node',
    "import { fileURLToPath } from 'node:url';",
    '',
    `const program = new URL('../dist/${compiled}', import.meta.url);`,
    'process.argv[1] = fileURLToPath(program);',
    'await import(program.href);',
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  chmodSync(file, 0o755);
}

/** Everything that a host runs. Unpacked, `npm ci` installs what the lock has, to the last package; npm heeds no lock of a package that it installs from a file. */
function packServer(): string {
  const folder = begin('server', {
    description: 'Rekindle: API, worker, migrations and command line.',
    bin: Object.fromEntries(Object.keys(serverPrograms).map((name) => [name, `bin/${name}.mjs`])),
    dependencies: manifest.dependencies,
    optionalDependencies: manifest.optionalDependencies,
    overrides: manifest.overrides,
    allowScripts: manifest.allowScripts,
  });
  for (const [name, compiled] of Object.entries(serverPrograms)) addProgram(folder, name, compiled);
  const wanted = (path: string) => !path.endsWith('.d.ts');
  for (const entry of readdirSync(dist))
    if (entry !== 'packages') cpSync(join(dist, entry), join(folder, 'dist', entry), { recursive: true, filter: wanted });
  cpSync(join(root, 'deploy'), join(folder, 'deploy'), { recursive: true });
  const lock = readLock();
  // Optional ones among them, or `npm ci` calls the lock incomplete, also where it leaves them out.
  const locked = Object.fromEntries(Object.entries(lock.packages).filter(([place, { dev }]) => place !== '' && dev !== true));
  const { version, dependencies, optionalDependencies } = manifest;
  const own = { name: '@rekindle/server', version, dependencies, optionalDependencies };
  writeFileSync(
    join(folder, 'npm-shrinkwrap.json'),
    `${JSON.stringify({ ...own, lockfileVersion: lock.lockfileVersion, requires: true, packages: { '': own, ...locked } }, null, 2)}\n`,
  );
  writeFileSync(
    join(folder, 'README.md'),
    readmeOf(
      '@rekindle/server',
      'Unpack, `npm ci --omit=dev --omit=optional`, then run `bin/rekindle-migrate.mjs`, `bin/rekindle-api.mjs`, `bin/rekindle-worker.mjs` and `bin/rekindle.mjs`.',
      'production.md',
    ),
  );
  return pack(folder);
}

/** The command line alone: it talks to an API elsewhere, and brings neither Temporal's native core nor a driver of Postgres. */
function packCommands(): string {
  const { files, external } = reachableFrom(join(dist, 'cli/rekindle.mjs'), join(dist, 'cli/main.js'));
  const dependencies = Object.fromEntries(external.map((name) => [name, versionOf(name)]));
  const folder = begin('cli', { description: 'The command line of Rekindle.', bin: { rekindle: 'bin/rekindle.mjs' }, dependencies });
  addProgram(folder, 'rekindle', 'cli/rekindle.mjs');
  for (const file of files) copyTo(folder, file);
  for (const asset of commandAssets)
    for (const file of readdirSync(join(dist, asset), { recursive: true, encoding: 'utf8' }))
      if (/[.](mjml|liquid|ya?ml|json|txt|css)$/.test(file)) copyTo(folder, join(dist, asset, file));
  writeFileSync(
    join(folder, 'README.md'),
    readmeOf('@rekindle/cli', 'The program `rekindle`. Give it `REKINDLE_API_URL` and `REKINDLE_API_KEY`.', 'operations.md'),
  );
  return pack(folder);
}

function copyTo(folder: string, file: string): void {
  const target = join(folder, 'dist', relative(dist, file));
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(file, target);
}

function versionOf(name: string): string {
  const version = manifest.dependencies[name];
  if (version === undefined) throw new Error(`the command line imports ${name}, which package.json does not have under dependencies`);
  return version;
}

const readmeOf = (name: string, what: string, page: string) => `# ${name}\n\n${what}\nDocumentation: docs/${page} of the sources.\n`;

/** The compiled files that these import, themselves among them, and the packages. Type imports are gone from compiled code. */
function reachableFrom(...entries: string[]): { files: string[]; external: string[] } {
  const files = new Set<string>();
  const external = new Set<string>();
  const waiting = [...entries];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (files.has(file)) continue;
    files.add(file);
    for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(
      /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\(import[.]meta[.]url\)\(|createRequire\(import[.]meta[.]url\)\()['"]([^'"\n]+)['"]/g,
    )) {
      if (specifier.startsWith('.')) {
        const imported = resolve(dirname(file), specifier);
        if (existsSync(imported)) waiting.push(imported);
      } else if (!specifier.startsWith('node:')) {
        const name = /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
        if (name in manifest.dependencies) external.add(name);
      }
    }
  }
  return { files: [...files].toSorted(), external: [...external].toSorted() };
}

function pack(folder: string): string {
  const [file = ''] = run('npm pack --silent --pack-destination ..', folder).trim().split('\n').slice(-1);
  return join(packages, file);
}

if (!process.argv.includes('--built')) run('npm run --silent build', root);
rmSync(packages, { recursive: true, force: true });
mkdirSync(packages, { recursive: true });
const client =
  run(`npm pack --silent --pack-destination ${JSON.stringify(packages)}`, join(root, 'sdk'))
    .trim()
    .split('\n')
    .at(-1) ?? '';
for (const file of [packServer(), packCommands(), join(packages, client)]) console.log(relative(root, file));
