import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface CliCredentials {
  apiUrl: string;
  apiKey: string | null;
  installationKey: string | null;
}

/** From the environment, else from the files that `npm start` leaves in `.rekindle/`. */
export function readCredentials(env: Record<string, string | undefined>, dir: string): CliCredentials {
  const file = join(dir, 'credentials.json');
  const local = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { apiUrl?: string; apiKey?: string }) : {};
  const keyFile = join(dir, 'installation.key');
  return {
    apiUrl: env['REKINDLE_API_URL'] || local.apiUrl || 'http://localhost:3000',
    apiKey: env['REKINDLE_API_KEY'] || local.apiKey || null,
    installationKey: env['REKINDLE_INSTALLATION_KEY'] || (existsSync(keyFile) ? readFileSync(keyFile, 'utf8').trim() : null),
  };
}
