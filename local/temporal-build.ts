import { execFile, spawn } from 'node:child_process';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { tail, tieToParent } from './child-process.ts';

const moduleDir = fileURLToPath(new URL('./temporal', import.meta.url));
const mainPackage = 'github.com/temporalio/cli/cmd/temporal';

/** Build the CLI from the official module (local/temporal/go.mod pins it) into the user's cache. Measured: 3 min 15 s on two cores. */
export async function buildTemporal(options: {
  version: string;
  target: string;
  log: (line: string) => void;
}): Promise<{ path: string } | { failed: string }> {
  const go = await run('go', ['version']);
  if ('failed' in go) return { failed: go.missing ? 'Go is not installed' : go.failed };
  options.log('Building Temporal with Go: about 3 minutes on two cores, once for this machine.');
  options.log('Getting its modules …');
  const listed = await run('go', ['list', '-deps', mainPackage]);
  if ('failed' in listed) return { failed: lastLine(listed.failed) };

  await mkdir(dirname(options.target), { recursive: true });
  const partial = `${options.target}.partial-${process.pid}`;
  try {
    const failure = await build({ ...options, partial, total: listed.output.trim().split('\n').length });
    if (failure !== null) return { failed: failure };
    // Renamed when complete: a build that was interrupted never looks like a program.
    await rename(partial, options.target);
    return { path: options.target };
  } finally {
    await rm(partial, { force: true });
  }
}

function build(options: { version: string; partial: string; total: number; log: (line: string) => void }): Promise<string | null> {
  const flags = `-s -w -X github.com/temporalio/cli/internal/temporalcli.Version=${options.version}`;
  const child = spawn('go', ['build', '-v', '-trimpath', '-ldflags', flags, '-o', options.partial, mainPackage], {
    cwd: moduleDir,
    env: { ...process.env, CGO_ENABLED: '0' },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  tieToParent(child, 'TERM');
  const said = tail(3);
  const startedMs = performance.now();
  let built = 0;
  let announcedMs = startedMs;
  createInterface({ input: child.stderr }).on('line', (line) => {
    said.add(`${line}\n`);
    built += 1;
    const nowMs = performance.now();
    if (nowMs - announcedMs < 10_000) return;
    announcedMs = nowMs;
    options.log(`Building Temporal … ${progress(built, options.total, nowMs - startedMs)}`);
  });
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code) => resolve(code === 0 ? null : lastLine(said.text())));
  });
}

/** `42 %, about 2 min left`. Go prints a package when it begins it; the last ones and the linking take longer, hence the reserve. */
export function progress(built: number, total: number, elapsedMs: number): string {
  const share = Math.min(built / total, 0.97);
  const leftMs = (elapsedMs / share) * (1 - share) + 20_000;
  const left = leftMs > 90_000 ? `${Math.round(leftMs / 60_000)} min` : `${Math.ceil(leftMs / 10_000) * 10} s`;
  return `${Math.round(share * 100)} %, about ${left} left`;
}

function run(command: string, args: string[]): Promise<{ output: string } | { failed: string; missing: boolean }> {
  return new Promise((resolve) => {
    execFile(
      command,
      args,
      { cwd: moduleDir, encoding: 'utf8', maxBuffer: 2 ** 24, env: { ...process.env, CGO_ENABLED: '0' } },
      (error, stdout, stderr) => {
        if (error === null) resolve({ output: stdout });
        else resolve({ failed: stderr.trim() || error.message, missing: 'code' in error && error.code === 'ENOENT' });
      },
    );
  });
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? text;
}
