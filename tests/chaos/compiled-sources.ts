import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import { build, type BuildOptions, type Plugin } from 'esbuild';
import { writeCompiledPresets } from '../../operations/publish-presets.ts';

const root = resolve(import.meta.dirname, '../..');
/** Folders of which a process of a test may run or read something. */
const folders = [
  ...['activities', 'api', 'bench', 'cli', 'config', 'content', 'db', 'domain', 'integrations', 'local', 'mcp', 'operations', 'sdk', 'sequences'],
  ...['temporal', 'worker', 'workflows'],
  ...['tests/chaos', 'tests/helpers'],
];
const compiledInto = join(root, 'node_modules/.cache/rekindle-tests');

/** What a process of its own begins with, and loads without looking for further code in folders, as an API does. */
const isProgram = /^(worker\/main|tests\/chaos\/\w[\w-]*-process)\.ts$/;

/** What a relative import names is compiled by itself, and has another ending then. */
const besideEachOther: Plugin = {
  name: 'beside-each-other',
  setup(asked) {
    asked.onResolve({ filter: /^\.\.?\// }, ({ kind, path }) =>
      kind === 'entry-point' ? undefined : { path: path.replace(/\.ts$/, '.js'), external: true },
    );
  },
};

/** In a bundle, what asks where it is itself gets the place where it would be by itself. */
function inItsPlace(from: string, place: string): Plugin {
  return {
    name: 'in-its-place',
    setup(asked) {
      asked.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const source = await readFile(path, 'utf8');
        if (path.includes('/node_modules/') || !source.includes('import.meta')) return undefined;
        const filename = join(place, relative(from, path)).replace(/\.ts$/, '.js');
        const places = { url: pathToFileURL(filename).href, dirname: dirname(filename), filename };
        const contents = source.replaceAll(/\bimport\.meta\.(url|dirname|filename)\b/g, (_, name: keyof typeof places) =>
          JSON.stringify(places[name]),
        );
        return { contents, loader: 'ts' };
      });
    },
  };
}

/**
 * Compile the product and what starts it in tests, as `npm run build` does, without looking for errors: in a second or two instead of twenty. A process
 * that runs the sources needs three times as long to start.
 * @param from - a checkout; folders that it lacks are passed over
 * @param to - a folder that is not there yet; packages are found from it as from `from`
 * @param place - where it will be when something of it runs
 */
export async function compileSources(from: string, to: string, place = to): Promise<void> {
  const present = folders.filter((folder) => existsSync(join(from, folder)));
  const files = present.flatMap((folder) => filesIn(join(from, folder)));
  const sources = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  const common: BuildOptions = {
    absWorkingDir: from,
    outbase: from,
    outdir: to,
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: 'inline',
    sourcesContent: false,
    logLevel: 'error',
  };
  await build({ ...common, entryPoints: sources, plugins: [besideEachOther] });
  // A thousand files take a third longer to load than a few.
  const programs = sources.filter((source) => isProgram.test(relative(from, source)));
  await build({ ...common, entryPoints: programs, splitting: true, chunkNames: 'chunks/[hash]', plugins: [inItsPlace(from, place)] });
  for (const file of files) if (!file.endsWith('.ts')) cpSync(file, join(to, relative(from, file)));
  cpSync(join(from, 'package.json'), join(to, 'package.json'));
  const { code } = await bundleWorkflowCode({ workflowsPath: join(to, 'workflows/index.js'), logger: silentLogger });
  writeFileSync(join(to, 'workflow-bundle.js'), code);
}

let compiled: Promise<string> | null = null;

/** This checkout compiled, once for all test files and runs until a file changes. @returns the folder */
export function compiledSources(): Promise<string> {
  compiled ??= (async () => {
    const state = createHash('sha256');
    for (const file of folders.flatMap((folder) => filesIn(join(root, folder)))) {
      const { mtimeMs, size } = statSync(file);
      state.update(`${file} ${mtimeMs} ${size}\n`);
    }
    const folder = join(compiledInto, state.digest('hex').slice(0, 16));
    if (existsSync(folder)) return folder;
    // Several processes may do so at once: each in a folder of its own, and the first one's stays.
    mkdirSync(compiledInto, { recursive: true });
    removeOld();
    const making = mkdtempSync(join(compiledInto, 'making-'));
    await compileSources(root, making, folder);
    await writeCompiledPresets(join(making, 'sequences'));
    // Where an API looks for the dashboard; whoever needs it builds it.
    mkdirSync(join(making, 'web'));
    symlinkSync(join(root, 'web/dist'), join(making, 'web/dist'));
    try {
      renameSync(making, folder);
    } catch (error) {
      rmSync(making, { recursive: true, force: true });
      if (!existsSync(folder)) throw error;
    }
    return folder;
  })();
  return compiled;
}

/** What no run of today uses. */
function removeOld(): void {
  for (const name of readdirSync(compiledInto)) {
    const folder = join(compiledInto, name);
    if ((statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) < Date.now() - 86_400_000)
      rmSync(folder, { recursive: true, force: true });
  }
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

const silent = () => undefined;
const silentLogger = { log: silent, trace: silent, debug: silent, info: silent, warn: silent, error: silent };
