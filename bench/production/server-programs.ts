import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildWithGo } from '../../local/go-build.ts';
import { StartError } from '../../local/start-error.ts';
import { userBinDir } from '../../local/temporal-binary.ts';

/** The same as in go.mod beside this file, and as the images of docker-compose.yml. */
export const temporalServerVersion = '1.31.2';

/** The official server and the tool that brings its databases to the server's own schema: of one exact version. */
export interface ServerPrograms {
  server: string;
  sqlTool: string;
}

/** Find both in the user's cache, or build them there with Go. @throws StartError saying why they cannot be built */
export async function obtainServerPrograms(log: (line: string) => void): Promise<ServerPrograms> {
  // One after the other: the second finds most of its packages built.
  const server = await obtain('temporal-server', 'go.temporal.io/server/cmd/server', 'about 3 minutes on two cores', log);
  const sqlTool = await obtain('temporal-sql-tool', 'go.temporal.io/server/cmd/tools/sql', 'some seconds', log);
  return { server, sqlTool };
}

async function obtain(name: string, mainPackage: string, takes: string, log: (line: string) => void): Promise<string> {
  const target = join(userBinDir(), `${name}-${temporalServerVersion}`);
  try {
    await access(target, constants.X_OK);
    return target;
  } catch {
    // Not built yet.
  }
  const built = await buildWithGo({
    title: name,
    announcement: `Building ${name} ${temporalServerVersion} with Go: ${takes}, once for this machine.`,
    moduleDir: fileURLToPath(new URL('./temporal', import.meta.url)),
    mainPackage,
    linkerFlags: '',
    target,
    log,
  });
  if ('failed' in built) throw new StartError(`${name} could not be built: ${built.failed}. It takes Go 1.26 or newer (https://go.dev/dl).`);
  return built.path;
}
