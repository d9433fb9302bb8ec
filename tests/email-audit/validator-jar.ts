import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { userBinDir } from '../../local/temporal-binary.ts';
import { run } from './programs.ts';

const version = '26.9.27';
const dir = join(dirname(userBinDir()), `vnu-jar-${version}`);
const jar = join(dir, 'node_modules/vnu-jar/build/dist/vnu.jar');

/** How to install the Nu validator by hand. Without its script, which would fetch a Java. */
export const installation = ['npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', dir, `vnu-jar@${version}`];

/**
 * The pinned Nu validator, in the user's cache: 30 MB that nobody needs to run or test Rekindle. The first time it is installed there.
 * @returns the path of the jar; null where it could not be installed
 */
export async function findValidator(): Promise<string | null> {
  if (await exists(jar)) return jar;
  const [npm = '', ...args] = installation;
  console.log(`Installing vnu-jar ${version} into ${dir}, once for this machine …`);
  await run(npm, args);
  return (await exists(jar)) ? jar : null;
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
