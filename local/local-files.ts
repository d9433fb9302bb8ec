import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Everything that this machine keeps between starts. */
export const localDir = fileURLToPath(new URL('../.rekindle', import.meta.url));

/** Read a small JSON file of ours. @returns null when it is missing or damaged: no such file is important enough to stop for */
export function readJson(dir: string, name: string): unknown {
  const file = join(dir, name);
  if (!existsSync(file)) return null;
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

export function writeJson(dir: string, name: string, value: unknown): void {
  writeFileSync(join(dir, name), `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
}
