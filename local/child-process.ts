import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** SIGTERM, then SIGKILL. Resolves when the process is gone. @param graceMs - time for a clean end before SIGKILL */
export async function endProcess(
  child: ChildProcess,
  signal: NodeJS.Signals,
  graceMs: number,
  last: NodeJS.Signals = 'SIGKILL',
): Promise<'clean' | 'forced'> {
  if (hasEnded(child)) return 'clean';
  const ended = new Promise<'clean'>((resolve) => child.once('exit', () => resolve('clean')));
  child.kill(signal);
  const aborted = new AbortController();
  const outcome = await Promise.race([ended, sleep(graceMs, 'forced' as const, { signal: aborted.signal }).catch(() => 'clean' as const)]);
  aborted.abort();
  if (outcome === 'clean') return 'clean';
  child.kill(last);
  const gone = await Promise.race([ended, sleep(3_000, 'forced' as const, { ref: false })]);
  if (gone === 'forced') child.kill('SIGKILL');
  await ended;
  return 'forced';
}

export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/**
 * Make sure that a server does not outlive this process, even when this process is killed: a shell holds the other end of a pipe and
 * signals the server when the pipe closes. The server itself runs in a group of its own, out of reach of the terminal's Ctrl-C.
 */
export function tieToParent(child: ChildProcess, signal: 'INT' | 'TERM'): void {
  if (process.platform === 'win32' || child.pid === undefined) return;
  const guard = spawn('/bin/sh', ['-c', `read -r _; kill -${signal} "$1" 2>/dev/null`, 'guard', String(child.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
  });
  guard.on('error', () => {});
  guard.unref();
  guard.stdin.on('error', () => {});
  // Once the server is gone, its process id may be reused: end the guard first.
  child.once('exit', () => guard.kill('SIGKILL'));
}

/** Wait until a condition holds. @returns false when `deadlineMs` has passed before */
export async function waitUntil(condition: () => Promise<boolean> | boolean, deadlineMs: number, everyMs = 100): Promise<boolean> {
  const end = performance.now() + deadlineMs;
  while (performance.now() < end) {
    if (await condition()) return true;
    await sleep(everyMs);
  }
  return false;
}

/** The last lines that a process wrote, for the message when it dies. */
export function tail(lines = 12): { add(text: string): void; text(): string } {
  let kept = '';
  return {
    add(text) {
      kept = (kept + text)
        .split('\n')
        .slice(-lines - 1)
        .join('\n');
    },
    text: () => kept.trim(),
  };
}

/** The command line of a running process; empty when it does not run, or belongs to another user. */
export function commandOf(pid: number): string {
  if (process.platform === 'win32') return '';
  if (process.platform !== 'linux') return spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}
