import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { CopySource } from './copy-source.ts';

/**
 * The copy of a preset: every `*.liquid` and `*.brief.yaml` in its folder, named as sequences name it. `sequences/cart/email_2h.liquid` is the email
 * `cart/email_2h`; `sequences/cart/email_2h.sms.liquid` is what the same step says as a text message.
 * @param dir - e.g. `sequences/cart`
 */
export async function loadPresetCopy(dir: string): Promise<Record<string, CopySource>> {
  const preset = basename(dir);
  const names = (await readdir(dir)).filter((name) => /\.liquid$|\.brief\.yaml$/.test(name)).sort();
  const entries = names.map(
    async (name): Promise<[string, CopySource]> => [
      `${preset}/${name.replace(/\.(liquid|yaml)$/, '')}`,
      { file: `sequences/${preset}/${name}`, text: await readFile(join(dir, name), 'utf8') },
    ],
  );
  return Object.fromEntries(await Promise.all(entries));
}
