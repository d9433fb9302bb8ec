import { fork } from 'node:child_process';
import { chmod, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { endProcess, tail } from './child-process.ts';

const beginWithinMs = 20_000;
const stalledAfterMs = 30_000;
const announceEveryBytes = 20 * 2 ** 20;

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
      child.on('message', (message) => resolve(message === 'done' ? null : typeof message === 'string' ? message : 'the SDK did not say why'));
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
  const stopped = new AbortController();
  return { stalled: untilStalled(dir, log, stopped.signal), stop: () => stopped.abort() };
}

/** Log the progress. @returns why to give up, once there is none any more */
async function untilStalled(dir: string, log: (line: string) => void, signal: AbortSignal): Promise<string> {
  let bytes = 0;
  let announcedBytes = -1;
  let movedAtMs = performance.now();
  while (!signal.aborted) {
    await sleep(500);
    const size = await sizeOf(dir);
    if (size > bytes) movedAtMs = performance.now();
    bytes = Math.max(size, bytes);
    if (bytes > 0 && bytes - announcedBytes > announceEveryBytes) {
      announcedBytes = bytes;
      log(`Downloading Temporal … ${Math.round(bytes / 2 ** 20)} MB of about 130 MB`);
    }
    const stillMs = performance.now() - movedAtMs;
    if (bytes === 0 && stillMs > beginWithinMs) return `nothing came within ${beginWithinMs / 1000} s (no network?)`;
    if (bytes > 0 && stillMs > stalledAfterMs) return `the download stood still for ${stalledAfterMs / 1000} s`;
  }
  return 'stopped';
}

async function sizeOf(dir: string): Promise<number> {
  try {
    const sizes = await Promise.all((await readdir(dir)).map(async (name) => (await stat(join(dir, name))).size));
    return sizes.reduce((sum, size) => sum + size, 0);
  } catch {
    return 0;
  }
}
