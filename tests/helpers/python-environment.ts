import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { userBinDir } from '../../local/temporal-binary.ts';

const execute = promisify(execFile);
/** Some of what judges compute takes minutes on a busy machine. */
const limits = { maxBuffer: 256 * 2 ** 20, timeout: 3_600_000 };

/**
 * The Python of an environment of its own, in the user's cache: packages that nobody needs to run or test Rekindle. The first time they are installed there.
 * @param name - of the folder; another list of packages needs another name
 * @throws Error where there is no Python 3.11 or later, or the packages cannot be fetched
 */
export async function pythonWith(name: string, packages: readonly string[]): Promise<string> {
  const dir = join(dirname(userBinDir()), name);
  const python = join(dir, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  // Written last: an installation that was broken off is done again.
  const complete = join(dir, 'complete');
  const isComplete = await access(complete).then(
    () => true,
    () => false,
  );
  if (isComplete) return python;
  console.log(`Installing ${packages.join(', ')} into ${dir}, once for this machine …`);
  await execute('python3', ['-m', 'venv', '--clear', dir], limits);
  await execute(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages], limits);
  await execute(python, ['-c', `open(${JSON.stringify(complete)}, 'w').close()`], limits);
  return python;
}

/** What a script answers, as it is printed. @throws Error with what Python said, where it fails */
export async function runPython(python: string, script: string, args: readonly string[]): Promise<string> {
  return (await execute(python, [script, ...args], limits)).stdout;
}
