import { randomBytes } from 'node:crypto';
import { msToTs } from '@temporalio/common/lib/time.js';
import { inject } from 'vitest';
import { lazyClient } from '../../temporal/connect.ts';
import { until } from './shop.ts';

/** A namespace of its own on the real server; a new one is unknown for some seconds. */
export async function newNamespace() {
  const namespace = `ns-${randomBytes(4).toString('hex')}`;
  const client = lazyClient({ address: inject('temporalAddress'), namespace, apiKey: null, tls: false });
  await client.connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: msToTs('1d') });
  const names = () =>
    client.connection.operatorService
      .listSearchAttributes({ namespace })
      .then(({ customAttributes }) => Object.keys(customAttributes).sort())
      .catch(() => null);
  await until('the namespace to be known', async () => (await names()) !== null, 30_000);
  return { namespace, client, names };
}
