import { fork } from 'node:child_process';
import { chmod, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endProcess, tail } from './child-process.ts';

const beginWithinMs = 20_000;
const stalledAfterMs = 30_000;

/**
 * Let the SDK download the CLI, then take the file. A process of its own does it: the SDK's download cannot be cancelled, and without a
 * network (or behind a firewall that swallows packets) it must not hold up the start.
 */
export async function downloadTemporal(options: {
  version: string;
  target: string;
  log: (line: string) => void;
}): Promise<{ path: string } | { failed: string }> {
  const downloadDir = join(dirname(options.target), `download-${process.pid}`);
  try {
    await mkdir(downloadDir, { recursive: true });
    const child = fork(fileURLToPath(new URL('./temporal-download-process.ts', import.meta.url)), [options.version, downloadDir], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      detached: true,
    });
    const said = tail(3);
    child.stderr?.setEncoding('utf8').on('data', said.add);
    const failure = new Promise<string | null>((resolve) => {
      child.on('message', (message) => resolve(message === 'done' ? null : String(message)));
      child.on('exit', () => resolve(said.text() || 'the download ended early'));
      child.on('error', (error) => resolve(error.message));
    });
    const progress = watchProgress(downloadDir, options.log);
    const failed = await Promise.race([failure, progress.stalled]);
    progress.stop();
    await endProcess(child, 'SIGTERM', 5_000);
    if (failed !== null) return { failed };
    const file = (await readdir(downloadDir)).find((name) => !name.endsWith('.downloading'));
    if (file === undefined) return { failed: 'the SDK left no file' };
    await chmod(join(downloadDir, file), 0o755);
    await rename(join(downloadDir, file), options.target);
    return { path: options.target };
  } catch (error) {
    return { failed: error instanceof Error ? error.message : String(error) };
  } finally {
    await rm(downloadDir, { recursive: true, force: true });
  }
}

function watchProgress(dir: string, log: (line: string) => void): { stalled: Promise<string>; stop(): void } {
  let bytes = 0;
  let announced = -1;
  let movedAtMs = performance.now();
  let timer: NodeJS.Timeout;
  const stalled = new Promise<string>((resolve) => {
    timer = setInterval(async () => {
      const now = performance.now();
      const size = await sizeOf(dir);
      if (size > bytes) movedAtMs = now;
      bytes = Math.max(size, bytes);
      const tens = Math.floor(bytes / 2 ** 20 / 20);
      if (tens > announced && bytes > 0) log(`Downloading Temporal … ${Math.round(bytes / 2 ** 20)} MB of about 130 MB`);
      announced = Math.max(tens, bytes > 0 ? 0 : -1);
      if (bytes === 0 && now - movedAtMs > beginWithinMs) resolve(`nothing came within ${beginWithinMs / 1000} s (no network?)`);
      if (bytes > 0 && now - movedAtMs > stalledAfterMs) resolve(`the download stood still for ${stalledAfterMs / 1000} s`);
    }, 500);
  });
  return { stalled, stop: () => clearInterval(timer) };
}

async function sizeOf(dir: string): Promise<number> {
  try {
    const sizes = await Promise.all((await readdir(dir)).map(async (name) => (await stat(join(dir, name))).size));
    return sizes.reduce((sum, size) => sum + size, 0);
  } catch {
    return 0;
  }
}
