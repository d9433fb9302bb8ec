import type { Env } from './env.ts';

/**
 * Where a process of this installation may connect to beside the public internet: what it was told, and the mail server that it was itself given.
 * Source: docs/rules.md#rule-88
 */
export function privateAddressesOf(
  env: Pick<Env, 'REKINDLE_PRIVATE_ADDRESSES' | 'SMTP_URL'>,
): { kind: 'all' } | { kind: 'only'; ranges: readonly string[]; hosts: readonly string[] } {
  const ranges = env.REKINDLE_PRIVATE_ADDRESSES;
  if (ranges === 'all') return { kind: 'all' };
  return { kind: 'only', ranges, hosts: env.SMTP_URL === null ? [] : [new URL(env.SMTP_URL).hostname.replace(/^\[|\]$/g, '').toLowerCase()] };
}
