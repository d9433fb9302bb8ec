import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Fields } from '../read/notes.ts';

const id = z.string().trim().min(1).max(100);
const phrases = z.array(z.string().trim().min(3).max(100)).max(100).default([]);

/** A VAPI connection as it is entered. */
export const vapiConfig = z.strictObject({
  /** The private key. */
  apiKey: z.string().min(8).max(200),
  /** Who speaks and from which number, where neither the script nor its campaign says. */
  assistantId: id,
  phoneNumberId: id,
  maxSeconds: z.int().min(10).max(3_600).default(600),
  /** Words in a transcript that count beside the usual ones. */
  keywords: z.strictObject({ stop: phrases, later: phrases }).default({ stop: [], later: [] }),
  /** Tells several VAPI accounts of one store apart: reports and calls in doubt belong to one of them. */
  account: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/, 'is lower-case letters, digits and hyphens, 40 at most')
    .default('main'),
  baseUrl: z.url({ protocol: /^https?$/ }).default('https://api.vapi.ai'),
});
export type VapiConfig = z.output<typeof vapiConfig>;

/** Names the account in the ledger and in reports. */
export const accountOf = (account: string): string => `vapi:${account}`;

/** Members of the metadata that come back with every report. */
export const accountField = 'rekindle_account';
export const keyField = 'rekindle_key';

/** The name of a call at VAPI, which has 40 characters at most: unique for its send key. */
export const callName = (sendKey: string): string => `rk ${createHash('sha256').update(sendKey).digest('hex').slice(0, 36)}`;

/** Where the account's calls are. */
export const callsUrl = ({ baseUrl }: VapiConfig): URL => new URL(`${baseUrl.replace(/\/+$/, '')}/call`);

/** The metadata of a call, where VAPI may put them. */
export function metadataOf(call: Fields): Fields {
  const member = (value: unknown, name: string): unknown => (typeof value === 'object' && value !== null ? (value as Fields)[name] : undefined);
  const found = member(call['assistantOverrides'], 'metadata') ?? call['metadata'];
  return typeof found === 'object' && found !== null ? (found as Fields) : {};
}
