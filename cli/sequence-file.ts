import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from './command.ts';
import { unreadable } from './unreadable.ts';

/** A sequence that comes with Rekindle, by its name; else a file. */
export function presetOrFile(wanted: string): string {
  // From the sources, and from dist/.
  const preset = ['..', '../..'].map((root) => fileURLToPath(new URL(`${root}/sequences/${wanted}.yaml`, import.meta.url)));
  return /^[\w-]+$/.test(wanted) ? (preset.find((file) => existsSync(file)) ?? wanted) : wanted;
}

/** @throws UsageError where there is no such file */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const preset = /^[\w-]+$/.test(file) && !existsSync(file) ? `No sequence ${file} comes with Rekindle. ` : '';
    throw new UsageError(`${preset}${unreadable(file, error)}`);
  }
}

/** The texts in the folder beside a sequence file that is named like the sequence, and where they lie. */
export function textsBeside(file: string, yaml: string): { slug: string; folder: string; texts: Record<string, string> } {
  const slug = /^sequence:\s*["']?([\w-]+)/m.exec(yaml)?.[1] ?? basename(file).replace(/\.\w+$/, '');
  const folder = join(dirname(file), slug);
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => /\.liquid$|\.brief\.yaml$/.test(name)) : [];
  return {
    slug,
    folder,
    texts: Object.fromEntries(names.map((name) => [`${slug}/${name.replace(/\.(liquid|yaml)$/, '')}`, readText(join(folder, name))])),
  };
}
