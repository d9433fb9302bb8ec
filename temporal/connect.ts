import { Client, Connection } from '@temporalio/client';
import { dataConverterOf } from './data-converter.ts';
import type { PayloadKeys } from './payload-codec.ts';

export interface TemporalOptions {
  address: string;
  namespace: string;
  apiKey: string | null;
  tls: boolean;
  /** Where the workflows of this installation run; several installations may share a namespace. */
  taskQueue?: string;
  /** Encrypt what Temporal stores; absent or null: it is stored in plain text. */
  payloadKeys?: PayloadKeys | null;
}

/** A call to Temporal that takes longer has failed: shorter than the relay's claim of a row, and than a process's grace at its end. */
export const callLimitMs = 10_000;

/** How to reach Temporal, for clients and workers alike. */
export const connectionOptions = ({ address, apiKey, tls }: TemporalOptions) => ({ address, tls, ...(apiKey === null ? {} : { apiKey }) });

/** A client that connects when it is first used: an API process accepts events also while Temporal is down. */
export function lazyClient(options: TemporalOptions): Client {
  return new Client({
    connection: Connection.lazy(connectionOptions(options)),
    namespace: options.namespace,
    ...dataConverterOf(options.payloadKeys),
  });
}
