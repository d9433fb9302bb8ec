import { z } from 'zod';
import { readDkimKey } from './dkim-key.ts';

/**
 * How the way to the server is protected.
 * `implicit`: TLS from the first byte (`smtps://`). `required`: STARTTLS or nothing. `unverified`: the same with any certificate.
 * `offered`: STARTTLS where the server offers it. `off`: plain, even where it is offered.
 */
export type SmtpTls = 'implicit' | 'required' | 'unverified' | 'offered' | 'off';

/** An SMTP server and how to log in to it. */
export interface SmtpConfig {
  host: string;
  port: number;
  tls: SmtpTls;
  /** null: the server accepts emails without a login. */
  login: { user: string; password: string } | null;
  /** The name for EHLO; null: the machine's own. */
  name: string | null;
}

/** Thrown when an SMTP URL cannot be used. The message names the part and the remedy, never the password. */
export class SmtpConfigError extends Error {
  readonly code = 'smtp_config';
  override readonly name = 'SmtpConfigError';
}

const remedy = 'Expected smtp://user:password@host:587 or smtps://user:password@host:465, with optional ?tls= and &name=.';

const query = z.strictObject({
  tls: z.enum(['required', 'unverified', 'offered', 'off']).optional(),
  name: z
    .string()
    .regex(/^[A-Za-z0-9.:[\]-]{1,255}$/)
    .optional(),
});

/** The stored configuration of an SMTP connection: `{ url, dkim?: { domain, selector, privateKey } }`. */
export const smtpConnectionSchema = z.object({
  // It holds the password.
  url: z
    .string()
    .meta({ writeOnly: true })
    .transform((url) => parseSmtpUrl(url)),
  dkim: z
    .strictObject({ domain: z.string(), selector: z.string(), privateKey: z.string() })
    .transform((settings) => readDkimKey(settings))
    .nullish(),
});

/**
 * Read `smtp://` or `smtps://` with its options.
 * A login over the open network demands TLS unless `?tls=` says otherwise: otherwise anybody on the way could suppress STARTTLS and read the
 * password.
 * @throws SmtpConfigError naming the wrong part
 */
export function parseSmtpUrl(text: string): SmtpConfig {
  const url = parseUrl(text);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (host === '') throw new SmtpConfigError(`The SMTP URL names no host. ${remedy}`);
  if (url.pathname !== '' && url.pathname !== '/') throw new SmtpConfigError(`The SMTP URL has a path, which means nothing. ${remedy}`);
  if (url.port === '0') throw new SmtpConfigError(`The SMTP URL names port 0. ${remedy}`);
  const options = query.safeParse(Object.fromEntries(url.searchParams));
  if (!options.success) {
    const issue = options.error.issues[0];
    const part = issue?.code === 'unrecognized_keys' ? issue.keys.join(', ') : (issue?.path.join('.') ?? '');
    throw new SmtpConfigError(
      `The SMTP URL has an option that cannot be used: ${part}. Known are tls=required|unverified|offered|off and name=<host name>.`,
    );
  }
  const login = readLogin(url);
  const { tls, name } = options.data;
  return { host, ...readSecurity(url, tls, login !== null && !isLoopback(host)), login, name: name ?? null };
}

function readSecurity(url: URL, tls: z.output<typeof query>['tls'], needsTls: boolean): { port: number; tls: SmtpTls } {
  if (url.protocol === 'smtp:') return { port: Number(url.port || 587), tls: tls ?? (needsTls ? 'required' : 'offered') };
  if (tls !== undefined && tls !== 'required')
    throw new SmtpConfigError('The SMTP URL says both smtps:// and tls=. Use smtp:// with tls=, or smtps:// alone.');
  return { port: Number(url.port || 465), tls: 'implicit' };
}

function parseUrl(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new SmtpConfigError(`The SMTP URL is no URL. ${remedy}`);
  }
  if (url.protocol === 'smtp:' || url.protocol === 'smtps:') return url;
  throw new SmtpConfigError(`The SMTP URL begins with ${url.protocol}//. ${remedy}`);
}

function readLogin(url: URL): SmtpConfig['login'] {
  if (url.username === '' && url.password === '') return null;
  if (url.username === '' || url.password === '') throw new SmtpConfigError(`The SMTP URL has a user or a password, but not both. ${remedy}`);
  try {
    return { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
  } catch {
    throw new SmtpConfigError('The user or password in the SMTP URL is not percent-encoded: write % as %25, @ as %40, / as %2F.');
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
