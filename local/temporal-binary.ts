import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { buildTemporal } from './temporal-build.ts';
import { downloadTemporal } from './temporal-download.ts';
import { StartError } from './start-error.ts';

/** The version that all ways of obtaining the CLI agree on; the same as in local/temporal/go.mod. */
const temporalCliVersion = '1.8.2';

export interface TemporalBinary {
  path: string;
  /** Of the CLI, e.g. `1.8.2`. */
  cliVersion: string;
  /** Of the server inside, e.g. `1.31.2`: the database file belongs to it. */
  serverVersion: string;
  /** Where it came from, for people. */
  source: string;
}

/** One way of obtaining the CLI. @returns the path of a program, or why this way fails */
export interface TemporalWay {
  name: string;
  find(): Promise<{ path: string } | { failed: string }>;
}

const program = process.platform === 'win32' ? 'temporal.exe' : 'temporal';

/** The user's own cache, shared by all checkouts: `${XDG_CACHE_HOME:-~/.cache}/rekindle/bin`. */
export function userBinDir(source: Record<string, string | undefined> = process.env): string {
  return join(source.XDG_CACHE_HOME?.trim() || join(homedir(), '.cache'), 'rekindle', 'bin');
}

/** The four ways, in the order in which they are tried. Each is tried only when the ones before failed. */
export function temporalWays(options: {
  projectBinDir: string;
  log: (line: string) => void;
  env?: Record<string, string | undefined>;
}): TemporalWay[] {
  const env = options.env ?? process.env;
  const cacheDir = userBinDir(env);
  const cached = join(cacheDir, `temporal-${temporalCliVersion}${process.platform === 'win32' ? '.exe' : ''}`);
  return [
    {
      name: '`temporal` on PATH',
      find: () =>
        firstExecutable(
          (env.PATH ?? '')
            .split(delimiter)
            .filter(Boolean)
            .map((dir) => join(dir, program)),
          'not there',
        ),
    },
    {
      name: 'an earlier run’s copy',
      find: () => firstExecutable([join(options.projectBinDir, program), cached], `neither in ${options.projectBinDir} nor in ${cacheDir}`),
    },
    { name: 'the SDK’s download', find: () => downloadTemporal({ version: temporalCliVersion, target: cached, log: options.log }) },
    { name: 'a build with Go', find: () => buildTemporal({ version: temporalCliVersion, target: cached, log: options.log }) },
  ];
}

/**
 * Find a `temporal` program that runs, logging why each way fails before the next is tried.
 * @throws StartError with three lines on how to install it
 */
export async function findTemporal(ways: readonly TemporalWay[], log: (line: string) => void): Promise<TemporalBinary> {
  for (const way of ways) {
    const found = await way.find();
    const reason = 'failed' in found ? found.failed : null;
    const binary = 'failed' in found ? null : await describe(found.path, way.name);
    if (binary !== null && !('failed' in binary)) {
      log(`Temporal ${binary.serverVersion} (CLI ${binary.cliVersion}, ${way.name}: ${binary.path})`);
      return binary;
    }
    log(`Temporal from ${way.name}: ${reason ?? binary?.failed}`);
  }
  throw new StartError(
    [
      'Temporal could not be obtained. Install its CLI, then start again:',
      '  macOS: brew install temporal   Linux, Windows: https://docs.temporal.io/cli#install, and put `temporal` on PATH',
      '  or install Go 1.26 or newer (https://go.dev/dl), with which it is built; or set TEMPORAL_ADDRESS to a running Temporal.',
    ].join('\n'),
  );
}

async function firstExecutable(paths: readonly string[], otherwise: string): Promise<{ path: string } | { failed: string }> {
  for (const path of paths) {
    try {
      await access(path, constants.X_OK);
      return { path };
    } catch {
      // The next one.
    }
  }
  return { failed: otherwise };
}

// A truncated download and a build for another machine both exist and are executable: only running one tells.
async function describe(path: string, source: string): Promise<TemporalBinary | { failed: string }> {
  const output = await new Promise<string | Error>((resolve) => {
    execFile(path, ['--version'], { timeout: 20_000, encoding: 'utf8' }, (error, stdout) => resolve(error ?? stdout));
  });
  if (output instanceof Error) return { failed: `${path} does not run (${output.message.split('\n')[0]})` };
  const match = /version (\S+) \(Server ([\w.-]+)/.exec(output);
  if (match?.[1] === undefined || match[2] === undefined) return { failed: `${path} says "${output.trim().slice(0, 80)}" instead of its version` };
  return { path, cliVersion: match[1], serverVersion: match[2], source };
}
