import type { Deps } from './deps.ts';

/** Where a connection's provider delivers. */
export function webhookUrlOf({ publicUrl }: Pick<Deps, 'publicUrl'>, integration: string, connectionId: string): string {
  return `${publicUrl}/api/webhooks/${integration}/${connectionId}`;
}
