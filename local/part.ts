import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { endProcess, hasEnded, waitUntil } from './child-process.ts';
import type { Running } from './keep-running.ts';
import { StartError } from './start-error.ts';

const largestLogBytes = 10 * 2 ** 20;

/**
 * One of the product's own processes (API, worker), as in production but run from source.
 * @param isReady - polled until it returns true
 * @param graceMs - time between SIGTERM and SIGKILL
 * @throws StartError with the process's last output when it ends before it is ready
 */
export async function startPart(options: {
  name: string;
  script: string;
  cwd: string;
  env: Record<string, string>;
  logFile: string;
  isReady: () => Promise<boolean>;
  readyWithinMs: number;
  graceMs: number;
  /** Aborted: the process is ended, whether it is ready or not. */
  calledOff?: AbortSignal;
}): Promise<Running> {
  const log = openLog(options.logFile);
  const child = spawn(process.execPath, ['--import', 'tsx', '--import', './local/end-with-parent.mjs', options.script], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', log, log, 'ipc'],
    detached: true,
  });
  closeSync(log);
  child.on('error', () => {});
  let stopping = false;
  const { calledOff } = options;
  const ready = await waitUntil(() => hasEnded(child) || calledOff?.aborted === true || options.isReady().catch(() => false), options.readyWithinMs);
  if (calledOff?.aborted === true) {
    stopping = true;
    await endProcess(child, 'SIGTERM', options.graceMs);
    throw new StartError('The start was called off.');
  }
  if (hasEnded(child)) throw new StartError(`${options.name} did not start (${howEnded(child)}): ${lastWords(options.logFile)}`);
  if (!ready) {
    await endProcess(child, 'SIGTERM', options.graceMs);
    throw new StartError(`${options.name} was not ready within ${options.readyWithinMs / 1000} s. Its log: ${options.logFile}`);
  }
  return {
    async stop() {
      stopping = true;
      await endProcess(child, 'SIGTERM', options.graceMs);
    },
    onUnexpectedEnd(listener) {
      child.once('exit', () => {
        if (!stopping) listener(`${howEnded(child)}; ${lastWords(options.logFile)}`);
      });
    },
  };
}

function howEnded(child: { exitCode: number | null; signalCode: string | null }): string {
  return child.signalCode === null ? `exit code ${child.exitCode}` : child.signalCode;
}

function openLog(file: string): number {
  mkdirSync(dirname(file), { recursive: true });
  if (existsSync(file) && statSync(file).size > largestLogBytes) renameSync(file, `${file}.old`);
  return openSync(file, 'a', 0o600);
}

/** The end of a log, short enough for a terminal: the message of a JSON line, plain text as it is, no stack. */
function lastWords(logFile: string, lines = 6): string {
  const all = existsSync(logFile)
    ? readFileSync(logFile, 'utf8')
        .split('\n')
        .filter((line) => line.trim() !== '' && !/^\s+at /.test(line))
    : [];
  const readable = all.slice(-lines).map((line) => {
    try {
      const entry: unknown = JSON.parse(line);
      return typeof entry === 'object' && entry !== null && 'msg' in entry ? String(entry.msg) : line;
    } catch {
      return line;
    }
  });
  return `\n${readable.map((line) => `    ${line.slice(0, 300)}`).join('\n')}\n    (log: ${logFile})`;
}
