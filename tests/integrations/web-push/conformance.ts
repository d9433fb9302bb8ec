import webPush from 'web-push';
import type { PushPayload } from '../../../integrations/port.ts';
import { type WebPushConfig, webPushConfig } from '../../../integrations/web-push/config.ts';
import { createWebPushSender } from '../../../integrations/web-push/send.ts';
import { aBrowser } from '../../helpers/push-browser.ts';
import type { Dialect } from '../../helpers/stub-provider.ts';
import { startHttpFarEnd } from '../http/far-end.ts';
import type { ProviderConformance } from '../provider-conformance.ts';

export const keys = webPush.generateVAPIDKeys();
export const testConfig = (port: number, more: object = {}): WebPushConfig =>
  webPushConfig.parse({ contact: 'mailto:push@example.com', ...keys, baseUrl: `http://127.0.0.1:${port}`, ...more });

const browser = aBrowser();
export const aNotification = (more: Partial<PushPayload> = {}): PushPayload => ({
  channel: 'push',
  to: browser.address(),
  language: 'en',
  direction: 'ltr',
  title: 'Still here',
  text: 'Your lamp is waiting.',
  url: 'https://r.example/s/abc',
  ...more,
});

/** A push service's own answers. It knows no keys; the topic tells one message from another. */
export const pushDialect: Dialect = {
  keyOf: (request) => String(request.headers['topic']),
  taken: { status: 201, body: {}, headers: { location: 'https://fcm.googleapis.com/m/an-invented-message' } },
  // It has one status for a subscription that is gone.
  statusOf: (status) => (status === 422 ? 410 : status),
  bodyOf: () => '',
  tell: () => ({}),
};

export const conformance: ProviderConformance = {
  senders: [
    {
      name: 'web-push',
      payload: (size) => aNotification(size === 'huge' ? { text: 'lamp'.repeat(1_000_000) } : size === 'another' ? { title: 'Another one' } : {}),
      start: () => startHttpFarEnd(false, pushDialect, (port) => createWebPushSender(testConfig(port), { openTimeoutMs: 1_000, continueMs: 60_000 })),
    },
  ],
};
