import webPush from 'web-push';
import { z } from 'zod';

/** Where browsers' push services are. A subscription elsewhere is not believed: its address comes from a page, and we send there. */
const knownHosts = ['fcm.googleapis.com', '*.push.services.mozilla.com', '*.push.apple.com', '*.notify.windows.com'];

/** Notifications in browsers, as they are configured. Without keys the connection makes its own pair, which stays as long as it does. */
export const webPushConfig = z
  .strictObject({
    /** Whom a push service writes to when something is wrong with our messages. Source: RFC 8292, section 2.1 */
    contact: z.union(
      [z.string().regex(/^mailto:[^\s@]+@[^\s@]+$/), z.url({ protocol: /^https$/ })],
      'is neither an address like mailto:push@example.com nor a page like https://example.com/contact',
    ),
    /** Application server keys of P-256 in base64url (VAPID). Every subscription is bound to them: with others, all are lost. */
    publicKey: z
      .string()
      .regex(/^B[A-Za-z0-9_-]{86}$/, 'is no public key: 65 bytes in base64url, which begin with B')
      .optional(),
    privateKey: z
      .string()
      .regex(/^[A-Za-z0-9_-]{43}$/, 'is no private key: 32 bytes in base64url')
      .optional(),
    /** Hosts of push services; `*.` stands for one name or several. */
    hosts: z
      .array(z.string().regex(/^(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)+$/, 'is no host like push.example.com or *.push.example.com'))
      .min(1)
      .max(50)
      .default(knownHosts),
    /** How long a push service keeps a notification for a device that is off, in seconds: what was true today may be wrong tomorrow. */
    ttlSeconds: z
      .int()
      .min(0)
      .max(28 * 86_400)
      .default(86_400),
    /** A stand-in for all push services; left out: each subscription's own. */
    baseUrl: z.url({ protocol: /^https?$/ }).optional(),
  })
  .refine(({ publicKey, privateKey }) => (publicKey === undefined) === (privateKey === undefined), {
    path: ['privateKey'],
    error: 'goes with publicKey: enter both, or neither',
  });
export type WebPushConfig = z.output<typeof webPushConfig>;

/** Puts a pair of keys into a configuration without any: those of the one before it, else new ones. */
export function withKeys(config: unknown, before: unknown): unknown {
  const entered = keysIn(config);
  if (entered !== null || typeof config !== 'object') return config;
  return { ...config, ...(keysIn(before) ?? webPush.generateVAPIDKeys()) };
}

const pair = z.object({ publicKey: z.string(), privateKey: z.string() });
const keysIn = (config: unknown): z.output<typeof pair> | null => pair.safeParse(config).data ?? null;

/** The public half of the connection's keys, which pages need to subscribe. @throws Error where the stored configuration has none */
export function publicKeyOf(config: unknown): string {
  const { publicKey } = webPushConfig.parse(config);
  if (publicKey === undefined) throw new Error('This connection has no keys.');
  return publicKey;
}

/** Whether a push service that we know gave the subscription out. */
export function isKnownHost(endpoint: string, hosts: readonly string[]): boolean {
  const { hostname, port } = new URL(endpoint);
  if (port !== '') return false;
  return hosts.some((host) => (host.startsWith('*.') ? hostname.endsWith(host.slice(1)) : hostname === host));
}
