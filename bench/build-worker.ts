import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** As in production: bundled beforehand, without tsx. @returns the script; the sources where they do not compile right now */
export function buildWorker(say: (line: string) => void): 'dist/worker/main.js' | 'worker/main.ts' {
  const root = fileURLToPath(new URL('..', import.meta.url));
  say('building the worker');
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', 'local/build.ts'], { cwd: root, stdio: 'ignore' });
  return status === 0 ? 'dist/worker/main.js' : 'worker/main.ts';
}
