import type { Env } from './env.ts';

/**
 * Where a process of this installation may connect to beside the public internet: what it was told, and, for SMTP alone, the mail server that it was itself
 * given.
 * Source: docs/rules.md#rule-88
 */
export function privateAddressesOf(
  env: Pick<Env, 'REKINDLE_PRIVATE_ADDRESSES' | 'SMTP_URL'>,
): { kind: 'all' } | { kind: 'only'; ranges: readonly string[]; mailServer: { host: string; port: number } | null } {
  const ranges = env.REKINDLE_PRIVATE_ADDRESSES;
  if (ranges === 'all') return { kind: 'all' };
  if (env.SMTP_URL === null) return { kind: 'only', ranges, mailServer: null };
  const { protocol, hostname, port } = new URL(env.SMTP_URL);
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  // The usual ports are those of integrations/smtp/connection.ts.
  return { kind: 'only', ranges, mailServer: { host, port: Number(port || (protocol === 'smtps:' ? 465 : 587)) } };
}
