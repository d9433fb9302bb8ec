import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';

export interface TemporalOptions {
  address: string;
  namespace: string;
  apiKey: string | null;
  tls: boolean;
  /** Where the workflows of this installation run; several installations may share a namespace. */
  taskQueue?: string;
}

const connectionOptions = ({ address, apiKey, tls }: TemporalOptions) => ({ address, tls, ...(apiKey === null ? {} : { apiKey }) });

/** A client that connects when it is first used: an API process accepts events also while Temporal is down. */
export function lazyClient(options: TemporalOptions): Client {
  return new Client({ connection: Connection.lazy(connectionOptions(options)), namespace: options.namespace });
}

/** The worker's connection; waits for a Temporal that is still starting. */
export function connectWorker(options: TemporalOptions): Promise<NativeConnection> {
  return NativeConnection.connect(connectionOptions(options));
}
