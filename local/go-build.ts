import { execFile, spawn } from 'node:child_process';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { tail, tieToParent } from './child-process.ts';

/** One program of an official Go module, and its target path. */
export interface GoProgram {
  /** For people: `Temporal`. */
  title: string;
  /** What is built and how long it takes, logged once at the start. */
  announcement: string;
  /** The folder whose go.mod pins it. */
  moduleDir: string;
  mainPackage: string;
  /** Variables that the linker sets, e.g. `-X example.com/version.Version=1.0.0`; empty: none. */
  linkerFlags: string;
  target: string;
  log: (line: string) => void;
}

/** Build it from the modules that go.mod and go.sum pin. @returns the path of the program, or why it cannot be built */
export async function buildWithGo(program: GoProgram): Promise<{ path: string } | { failed: string }> {
  const go = await run(program.moduleDir, ['version']);
  if ('failed' in go) return { failed: go.missing ? 'Go is not installed' : go.failed };
  program.log(program.announcement);
  program.log('Getting its modules …');
  const listed = await run(program.moduleDir, ['list', '-deps', program.mainPackage]);
  if ('failed' in listed) return { failed: lastLine(listed.failed) };

  await mkdir(dirname(program.target), { recursive: true });
  const partial = `${program.target}.partial-${process.pid}`;
  try {
    const failure = await build(program, partial, listed.output.trim().split('\n').length);
    if (failure !== null) return { failed: failure };
    // Renamed when complete: a build that was interrupted never looks like a program.
    await rename(partial, program.target);
    return { path: program.target };
  } finally {
    await rm(partial, { force: true });
  }
}

function build({ title, moduleDir, mainPackage, linkerFlags, log }: GoProgram, partial: string, total: number): Promise<string | null> {
  const child = spawn('go', ['build', '-v', '-trimpath', '-ldflags', `-s -w ${linkerFlags}`.trim(), '-o', partial, mainPackage], {
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
    log(`Building ${title} … ${progress(built, total, nowMs - startedMs)}`);
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

function run(moduleDir: string, args: string[]): Promise<{ output: string } | { failed: string; missing: boolean }> {
  return new Promise((resolve) => {
    execFile(
      'go',
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
