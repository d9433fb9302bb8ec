import { pushAddress, type PushSubscription } from '../../domain/people/push-subscription.ts';
import { isKnownHost } from '../../integrations/web-push/config.ts';
import type { Site } from './find-site.ts';

/** As `PushSubscription.toJSON()` has it. Untrusted. */
export interface BrowserSubscription {
  endpoint: string;
  keys: { p256dh: string; auth: string };
}

/** @returns null for what is no subscription, for one of a push service that the site's store does not send to, and where it sends no notifications */
export function readSubscription(subscription: BrowserSubscription | null, { push }: Site): Omit<PushSubscription, 'subjectId'> | null {
  if (subscription === null || push === null) return null;
  const { endpoint, keys } = subscription;
  const isOne = pushAddress({ endpoint, ...keys, subjectId: null }) !== null && isKnownHost(endpoint, push.hosts);
  return isOne ? { endpoint, ...keys } : null;
}
