import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DataConverter } from '@temporalio/common';
import { createPayloadCodec, type PayloadKeys } from './payload-codec.ts';

/** For the bundle of the workflows too, where payloads are encrypted. */
export const failureConverterPath = join(import.meta.dirname, '../workflows/failure-converter.cjs');

/**
 * For clients and workers alike.
 * @param keys - null: what Temporal stores is in plain text, as it always was
 */
export function dataConverterOf(keys: PayloadKeys | null | undefined): { dataConverter?: DataConverter } {
  if (keys === null || keys === undefined) return {};
  if (keys.current !== null && !existsSync(failureConverterPath)) throw new Error(`${failureConverterPath} is missing.`);
  return { dataConverter: { payloadCodecs: [createPayloadCodec(keys)], ...(keys.current === null ? {} : { failureConverterPath }) } };
}
