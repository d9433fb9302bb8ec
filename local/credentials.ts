import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { StartError } from './start-error.ts';

const webhook = z.object({ url: z.string(), secret: z.string() });
const schema = z.object({
  apiUrl: z.string(),
  apiKey: z.string(),
  tenant: z.string(),
  webhooks: z.object({ shopify: webhook, generic: webhook }),
});

/** How tools of this machine reach the real-time tenant: read by `npm run send`, the CLI and the SDK. */
export type Credentials = z.infer<typeof schema>;

const fileName = 'credentials.json';

/** Write `.rekindle/credentials.json`, readable by its owner only. Replaced as a whole: a reader never sees half of it. */
export function writeCredentials(dir: string, credentials: Credentials): void {
  writePrivate(join(dir, fileName), `${JSON.stringify(credentials, null, 2)}\n`);
}

/** The credentials of the last start. @returns null when there are none yet or the file cannot be read as such */
export function readCredentials(dir: string): Credentials | null {
  const file = join(dir, fileName);
  if (!existsSync(file)) return null;
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}

/**
 * The key that seals connections' secrets: made once, then kept, since nothing sealed opens without it.
 * @returns base64 of 32 bytes
 * @throws StartError when the file was damaged
 */
export function masterKey(dir: string): string {
  const file = join(dir, 'master.key');
  if (!existsSync(file)) writePrivate(file, `${randomBytes(32).toString('base64')}\n`);
  chmodSync(file, 0o600);
  const key = readFileSync(file, 'utf8').trim();
  if (Buffer.from(key, 'base64').length === 32) return key;
  throw new StartError(`${file} is damaged. Bring it back from a copy, or begin anew with npm start -- --fresh.`);
}

/** The key that opens what spans tenants in the API of this machine: made once, then kept. */
export function installationKey(dir: string): string {
  const file = join(dir, 'installation.key');
  if (!existsSync(file)) writePrivate(file, `${randomBytes(32).toString('hex')}\n`);
  chmodSync(file, 0o600);
  return readFileSync(file, 'utf8').trim();
}

function writePrivate(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const partial = `${file}.partial-${process.pid}`;
  writeFileSync(partial, text, { mode: 0o600 });
  renameSync(partial, file);
}
