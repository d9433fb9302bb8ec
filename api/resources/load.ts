import { readdirSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Resource } from './resource.ts';

/** Every folder beside this file, by its `index`: also in compiled output, where it is JavaScript. @throws when a folder exports no resource */
export async function loadResources(): Promise<Resource[]> {
  const here = fileURLToPath(import.meta.url);
  const folder = dirname(here);
  const names = readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  return Promise.all(
    names.sort().map(async (name) => {
      const module: { resource?: Resource } = await import(pathToFileURL(join(folder, name, `index${extname(here)}`)).href);
      if (module.resource === undefined) throw new Error(`api/resources/${name}/index exports no resource.`);
      return module.resource;
    }),
  );
}
