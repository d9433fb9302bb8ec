import type { Credentials } from './credentials.ts';
import { StartError } from './start-error.ts';

/** An answer of the API; `next`: the path of the next page. */
export interface ApiAnswer {
  status: number;
  body: unknown;
  next: string | null;
}

/**
 * Ask the API of this machine with its own key.
 * @throws StartError where it does not answer, or refuses the key
 */
export async function askApi(
  { apiUrl, apiKey }: Pick<Credentials, 'apiUrl' | 'apiKey'>,
  path: string,
  method: 'GET' | 'POST' = 'GET',
): Promise<ApiAnswer> {
  const response = await fetch(new URL(path, apiUrl), {
    method,
    headers: { authorization: `Bearer ${apiKey}` },
    signal: AbortSignal.timeout(30_000),
  }).catch((error: unknown) => {
    throw new StartError(`${apiUrl} does not answer (${reasonOf(error)}). Is npm start running?`);
  });
  const text = await response.text();
  if (response.status === 401) throw new StartError('The API key does not fit: start Rekindle again, it renews .rekindle/credentials.json.');
  const next = /<([^>]+)>; rel="next"/.exec(response.headers.get('link') ?? '')?.[1] ?? null;
  return { status: response.status, body: parsed(text), next };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Why a request could not be made: the system's error code where there is one. */
export function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : null;
  if (cause instanceof Error && 'code' in cause) return String(cause.code);
  return error instanceof Error ? error.message : String(error);
}
