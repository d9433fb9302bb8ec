import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { EmailSource } from './email-copy.ts';

/**
 * The copy of a preset: every `*.liquid` in its folder, named as sequences name it (`sequences/cart/email_2h.liquid` is
 * `cart/email_2h`).
 * @param dir - e.g. `sequences/cart`
 */
export async function loadPresetCopy(dir: string): Promise<Record<string, EmailSource>> {
  const preset = basename(dir);
  const names = (await readdir(dir)).filter((name) => name.endsWith('.liquid')).sort();
  const entries = names.map(
    async (name): Promise<[string, EmailSource]> => [
      `${preset}/${basename(name, '.liquid')}`,
      { file: `sequences/${preset}/${name}`, text: await readFile(join(dir, name), 'utf8') },
    ],
  );
  return Object.fromEntries(await Promise.all(entries));
}
