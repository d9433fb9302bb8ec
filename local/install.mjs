// Runs before any dependency exists: plain JavaScript, Node's own modules only. Types are in install.d.mts.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectRoot = join(dirname(fileURLToPath(import.meta.url)), '..');
const hashFile = 'node_modules/.rekindle-lock-hash';

export function nodeVersionProblem(version, engines) {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const fits = engines.split('||').some((range) => {
    const [, operator, wantedMajor, wantedMinor = '0'] = /^(\^|>=)(\d+)(?:\.(\d+))?/.exec(range.trim()) ?? [];
    if (operator === undefined) return false;
    if (major === Number(wantedMajor)) return minor >= Number(wantedMinor);
    return operator === '>=' && major > Number(wantedMajor);
  });
  return fits
    ? null
    : `Rekindle needs Node ${engines.replaceAll('||', 'or').replaceAll('^', '').replace('>=24', '24 or newer')}; this is ${version}. https://nodejs.org has newer ones.`;
}

// The platform belongs to it: a folder shared between machines (a container's mount) holds the binaries of one of them.
function installHash(packageJson, packageLock, platform) {
  return createHash('sha256').update(packageJson).update('\0').update(packageLock).update('\0').update(platform).digest('hex');
}

export function installState(root) {
  const wanted = installHash(
    readFileSync(join(root, 'package.json')),
    readFileSync(join(root, 'package-lock.json')),
    platformName(currentPlatform()),
  );
  if (!existsSync(join(root, 'node_modules'))) return { state: 'missing', wanted };
  const found = existsSync(join(root, hashFile)) ? readFileSync(join(root, hashFile), 'utf8').trim() : null;
  return { state: found === wanted ? 'fresh' : 'stale', wanted };
}

function currentPlatform() {
  // Only glibc reports its version.
  const musl = process.platform === 'linux' && process.report?.getReport().header.glibcVersionRuntime === undefined;
  return { os: process.platform, arch: process.arch, libc: process.platform === 'linux' ? (musl ? 'musl' : 'gnu') : null };
}

function platformName({ os, arch, libc }) {
  return [os, arch, libc].filter(Boolean).join('-');
}

// npm leaves out what the lock does not list, and a lock lists the binaries that the registry offered to the machine that wrote it. Only names are
// available: the manifest of a package that is not installed cannot be read.
export function platformPackages(optionalDependencies, platform) {
  const names = Object.keys(optionalDependencies);
  const os = platform.os === 'win32' ? '(?:win32|windows)' : platform.os;
  const matching = (suffix) => names.filter((name) => new RegExp(`(?:^|[/-])${os}-${platform.arch}${suffix}$`).test(name));
  if (platform.os === 'win32') return matching('(?:-msvc)?');
  if (platform.os !== 'linux') return matching('');
  if (platform.libc === 'gnu') return matching('(?:-gnu(?:eabihf)?)?');
  const musl = matching('-musl(?:eabihf)?');
  return musl.length > 0 ? musl : matching('');
}

export function missingBinaries(packages, platform, isInstalled) {
  const missing = new Map();
  for (const [path, { optionalDependencies, optional }] of Object.entries(packages)) {
    if (optionalDependencies === undefined || optional || !isInstalled(path)) continue;
    for (const name of platformPackages(optionalDependencies, platform)) {
      if (!lookupPaths(path, name).some(isInstalled)) missing.set(name, `${name}@${optionalDependencies[name]}`);
    }
  }
  return [...missing.values()].sort();
}

// Where Node looks for a package from another one: its own node_modules, then every one above.
function lookupPaths(from, name) {
  const parts = from.split('/node_modules/');
  return parts
    .map((_, index) => `${parts.slice(0, parts.length - index).join('/node_modules/')}/node_modules/${name}`)
    .concat(`node_modules/${name}`);
}

export async function ensureInstalled(root = projectRoot, say = console.log) {
  if (installState(root).state === 'fresh') return;
  const done = await oneAtATime(root, say);
  try {
    await install(root, say);
  } finally {
    done();
  }
}

// `npm start` and `npm test` may both start right after a pull: two npm processes in one node_modules would corrupt it.
async function oneAtATime(root, say) {
  const lock = join(root, '.rekindle', 'installing');
  mkdirSync(dirname(lock), { recursive: true });
  for (let waited = false; ; waited = true) {
    try {
      mkdirSync(lock);
      return () => rmSync(lock, { recursive: true, force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      // No installation takes that long: the process that held the lock was killed.
      if (Date.now() - statSync(lock, { throwIfNoEntry: false })?.mtimeMs > 10 * 60_000) rmSync(lock, { recursive: true, force: true });
      if (!waited) say('Another command is installing dependencies: waiting for it …');
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

// The lock belongs to package.json: what npm changes in it then is only what the registry offers this machine.
export function lockFits(packageJson, packageLock) {
  const locked = packageLock.packages?.[''] ?? {};
  const same = (group) => JSON.stringify(sorted(packageJson[group])) === JSON.stringify(sorted(locked[group]));
  return ['dependencies', 'devDependencies', 'optionalDependencies'].every(same);
}

function sorted(group = {}) {
  return Object.entries(group).sort(([left], [right]) => (left < right ? -1 : 1));
}

async function install(root, say) {
  const { state } = installState(root);
  if (state === 'fresh') return;
  const lockFile = join(root, 'package-lock.json');
  const committed = readFileSync(lockFile, 'utf8');
  const keepLock = lockFits(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')), JSON.parse(committed));
  say(state === 'missing' ? 'Installing dependencies (about a minute, once) …' : 'Dependencies changed: installing …');
  const options = ['--no-audit', '--no-fund', '--loglevel=error', '--include=dev', '--include=optional'];
  await npm(root, ['install', ...options]);
  const { packages = {} } = JSON.parse(readFileSync(join(root, 'node_modules/.package-lock.json'), 'utf8'));
  const missing = missingBinaries(packages, currentPlatform(), (path) => existsSync(join(root, path, 'package.json')));
  if (missing.length > 0) {
    say(`Installing what the lock file does not list for this platform: ${missing.join(', ')} …`);
    await npm(root, ['install', '--no-save', ...options, ...missing]).catch((error) => say(`${error.message} Going on without.`));
  }
  if (keepLock && readFileSync(lockFile, 'utf8') !== committed) writeFileSync(lockFile, committed);
  writeFileSync(join(root, hashFile), `${installState(root).wanted}\n`);
}

function npm(root, args) {
  // Under `npm start` this is the very npm that runs us.
  const own = process.env.npm_execpath;
  const [command, first] = own?.endsWith('.js') ? [process.execPath, [own]] : ['npm', []];
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...first, ...args], {
      cwd: root,
      // Off the command's own output, which may be piped on.
      stdio: ['ignore', 2, 2],
      shell: process.platform === 'win32' && command === 'npm',
    });
    child.on('error', () => reject(new Error('npm could not be started. Is it on PATH?')));
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`npm ${args[0]} failed (see above).`))));
  });
}
