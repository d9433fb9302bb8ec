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
  /** Of the demo stores that a person may want to look into, by their slugs. */
  demoKeys: z.record(z.string(), z.string()).optional(),
  webhooks: z.object({
    shopify: webhook,
    generic: webhook,
    // Absent in files of builds before these.
    meta: webhook.extend({ verifyToken: z.string() }).optional(),
    keitaro: z.object({ url: z.string() }).optional(),
    // Of the stand-ins; absent where they do not run.
    twilio: webhook.optional(),
    vapi: webhook.optional(),
    instantly: webhook.optional(),
    gohighlevel: webhook.optional(),
  }),
});

/** Address and keys of the real-time tenant for tools on this machine: read by `npm run send` and `npx rekindle`. */
export type Credentials = z.infer<typeof schema>;

const fileName = 'credentials.json';

/** Write `.rekindle/credentials.json`, readable by its owner only. The file is replaced at once, so that no reader sees half of it. */
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
 * The master key, which seals connections' secrets: made once, then kept, because nothing sealed can be opened without it.
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

/** The installation's key, which opens `/api/tenants` on this machine: made once, then kept. */
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
