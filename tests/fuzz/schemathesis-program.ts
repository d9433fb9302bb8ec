import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StartError } from '../../local/start-error.ts';
import { userBinDir } from '../../local/temporal-binary.ts';

const version = '4.32.5';
const windows = process.platform === 'win32';

/**
 * The pinned schemathesis in a virtual environment of its own, beside the other programs in the user's cache. The first time it is
 * installed from PyPI.
 * @returns the path of the program `schemathesis`
 * @throws StartError where there is no Python, or PyPI cannot be reached
 */
export async function findSchemathesis(log: (line: string) => void): Promise<string> {
  const dir = join(dirname(userBinDir()), `schemathesis-${version}`);
  const bin = join(dir, windows ? 'Scripts' : 'bin');
  const program = join(bin, windows ? 'schemathesis.exe' : 'schemathesis');
  if (await runs(program)) return program;
  // What an interrupted installation left behind is no environment.
  await rm(dir, { recursive: true, force: true });
  const python = windows ? 'python' : 'python3';
  if (!(await hasPython(python))) throw new StartError('Python 3.10 or newer with its module venv is not there.');
  log(`Installing schemathesis ${version} from PyPI into ${dir}, once for this machine …`);
  await run(python, ['-m', 'venv', dir], 'Python 3.10 or newer with its module venv is needed');
  const pip = join(bin, windows ? 'pip.exe' : 'pip');
  await run(
    pip,
    ['install', '--quiet', '--disable-pip-version-check', '--no-input', '--retries', '2', '--timeout', '30', `schemathesis==${version}`],
    'PyPI has to be reachable',
  );
  if (!(await runs(program))) throw new StartError(`schemathesis was installed into ${dir}, but does not run there.`);
  return program;
}

/** `ensurepip` is what distributions leave out of Python until it is installed by itself. */
function hasPython(python: string): Promise<boolean> {
  const asked = 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))';
  return new Promise((resolve) => execFile(python, ['-c', asked], (error) => resolve(error === null)));
}

async function runs(program: string): Promise<boolean> {
  try {
    await access(program, constants.X_OK);
  } catch {
    return false;
  }
  return new Promise((resolve) => execFile(program, ['--version'], (error, said) => resolve(error === null && said.includes(version))));
}

function run(program: string, args: string[], remedy: string): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { maxBuffer: 2 ** 24 }, (error, _output, said) => {
      if (error === null) resolve();
      else reject(new StartError(`schemathesis could not be installed: ${said.trim().split('\n').at(-1) || error.message}. ${remedy}.`));
    });
  });
}
