// `npm run build`: everything that production needs, in dist/. Run from there by plain Node, without tsx and without development packages.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { writeCompiledPresets } from '../operations/publish-presets.ts';
import { buildDashboard } from './dashboard.ts';
import { billOfMaterials } from './sbom.ts';

const root = resolve(import.meta.dirname, '..');
const dist = join(root, 'dist');
/** Folders with files that the program reads at run time: layouts, copy, migrations, pages. */
const withAssets = ['api', 'cli', 'content', 'db', 'sequences', 'workflows'];

function compile(): void {
  const { status } = spawnSync('tsc -p tsconfig.build.json', { cwd: root, shell: true, stdio: 'inherit' });
  if (status !== 0) throw new Error('tsc found errors');
}

/** Copy what tsc leaves behind, to where the compiled code finds it: beside itself. */
function copyAssets(folder: string): number {
  const entries = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
  // Snapshots of the schema are for making migrations, and 20 MB.
  const isUnused = (file: string) => file.endsWith('.ts') || file.endsWith('_snapshot.json');
  const assets = entries.filter((file) => !isUnused(file) && statSync(join(root, folder, file)).isFile());
  for (const file of assets) {
    const target = join(dist, folder, file);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(join(root, folder, file), target);
  }
  return assets.length;
}

/** Bundle the workflows now, so that no worker does it while it starts. The worker takes them from dist/ where they exist. */
async function bundleWorkflows(): Promise<void> {
  const usual = { workflowsPath: join(dist, 'workflows/index.js'), logger: new DefaultLogger('WARN') };
  writeFileSync(join(dist, 'workflow-bundle.js'), (await bundleWorkflowCode(usual)).code);
  const encrypted = await bundleWorkflowCode({ ...usual, failureConverterPath: join(dist, 'workflows/failure-converter.cjs') });
  writeFileSync(join(dist, 'workflow-bundle-encrypted.js'), encrypted.code);
}

rmSync(dist, { recursive: true, force: true });
compile();
const copied = withAssets.filter((folder) => existsSync(join(root, folder))).reduce((sum, folder) => sum + copyAssets(folder), 0);
await bundleWorkflows();
await writeCompiledPresets(join(dist, 'sequences'));
const dashboard = await buildDashboard();
// Where the compiled API looks for it.
cpSync(dirname(dashboard), join(dist, 'web/dist'), { recursive: true });
const bill = billOfMaterials();
writeFileSync(join(dist, 'sbom.cdx.json'), `${JSON.stringify(bill, null, 2)}\n`);
console.log(
  `dist/ is built: ${copied} files beside the code, workflows and dashboard bundled, ${bill.components.length} packages listed in sbom.cdx.json`,
);
