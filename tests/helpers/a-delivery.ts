import type { Delivery } from '../../integrations/port.ts';

/** A delivery by POST, under an address that nothing depends on. */
export function posted(delivery: Omit<Delivery, 'method' | 'url'>): Delivery {
  return { method: 'POST', url: 'https://rekindle.example/api/webhooks/a-provider/a-connection', ...delivery };
}
