// Builds the dashboard into web/dist/<hash of its sources>/; nothing is done where that is there. Also a script: `tsx local/dashboard.ts`.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '..');
const web = join(root, 'web');
const dist = join(web, 'dist');

/**
 * The dashboard as browsers load it. Where its sources, the client or a package have changed since the last build, it is built anew, which takes seconds.
 * Processes that build at the same time do not disturb each other.
 * @returns the folder with it, which `web/dist/current` names
 * @throws Error with what the bundler said
 */
export async function buildDashboard(): Promise<string> {
  const dir = join(dist, hashOfSources());
  // In a process of its own: the bundler sets NODE_ENV, which whatever is started afterwards would have, too. Where it was set already, as by a test
  // runner, React would come in its development build.
  if (!isCurrent(dir)) await run(process.execPath, ['--import', 'tsx', import.meta.filename], { env: { ...process.env, NODE_ENV: 'production' } });
  return dir;
}

const isCurrent = (dir: string) =>
  existsSync(join(dir, 'index.html')) && existsSync(join(dist, 'current')) && readFileSync(join(dist, 'current'), 'utf8') === basename(dir);

async function buildHere(): Promise<string> {
  const dir = join(dist, hashOfSources());
  if (isCurrent(dir)) return `${dir} is up to date`;
  mkdirSync(dist, { recursive: true });
  const making = `${dir}.${process.pid}`;
  await bundle(making);
  compress(making);
  if (existsSync(dir)) rmSync(making, { recursive: true });
  else renameSync(making, dir);
  const next = join(dist, `current.${process.pid}`);
  writeFileSync(next, basename(dir));
  renameSync(next, join(dist, 'current'));
  // An API that runs has its files in memory.
  for (const old of readdirSync(dist))
    if (/^[0-9a-f]{16}$/.test(old) && old !== basename(dir)) rmSync(join(dist, old), { recursive: true, force: true });
  return `${dir} is built`;
}

/** Everything that the result depends on. */
function hashOfSources(): string {
  const sum = createHash('sha256');
  for (const folder of ['web', 'sdk'])
    for (const file of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).toSorted()) {
      const path = join(root, folder, file);
      if (/^(dist|node_modules)\b/.test(file) || !/[.](tsx?|css|html|svg)$/.test(file) || !statSync(path).isFile()) continue;
      sum.update(`${folder}/${file}\0`).update(readFileSync(path)).update('\0');
    }
  for (const file of ['package-lock.json', 'tsconfig.json', 'web/tsconfig.json', 'local/dashboard.ts']) sum.update(readFileSync(join(root, file)));
  return sum.digest('hex').slice(0, 16);
}

async function bundle(outDir: string): Promise<void> {
  // Loaded only where something is built: it takes half a second.
  const [{ build }, { default: tailwind }] = await Promise.all([import('vite'), import('@tailwindcss/vite')]);
  await build({
    root: web,
    configFile: false,
    base: '/app/',
    logLevel: 'error',
    mode: 'production',
    plugins: [tailwind()],
    build: {
      outDir,
      emptyOutDir: true,
      target: 'es2023',
      manifest: true,
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      chunkSizeWarningLimit: 1_000,
    },
  });
}

/** Beside each file, as `.br` and `.gz`: an answer is not compressed while somebody waits. */
function compress(folder: string): void {
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!/[.](js|css|svg)$/.test(file)) continue;
    const content = readFileSync(join(folder, file));
    writeFileSync(join(folder, `${file}.gz`), gzipSync(content, { level: 9 }));
    writeFileSync(join(folder, `${file}.br`), brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.log(await buildHere());
