import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { UsageError } from './command.ts';

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
    throw new UsageError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}
