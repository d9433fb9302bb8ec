import { generic } from './generic/index.ts';
import { goHighLevel } from './gohighlevel/index.ts';
import { instantly } from './instantly/index.ts';
import { keitaro } from './keitaro/index.ts';
import { mailgun } from './mailgun/index.ts';
import { meta } from './meta/index.ts';
import { openAi } from './openai/index.ts';
import { onsite } from './onsite/index.ts';
import type { Integration, Sender, SenderContext } from './port.ts';
import { postmark } from './postmark/index.ts';
import { recommendationsCsv } from './recommendations-csv/index.ts';
import { recommendationsHttp } from './recommendations-http/index.ts';
import { resend } from './resend/index.ts';
import { sendGrid } from './sendgrid/index.ts';
import { ses } from './ses/index.ts';
import { shopifyOffers } from './shopify-offers/index.ts';
import { shopify } from './shopify/index.ts';
import { smsHttp } from './sms-http/index.ts';
import { smtp } from './smtp/index.ts';
import { knownConfig } from './stored-config.ts';
import { telegram } from './telegram/index.ts';
import { twilio } from './twilio/index.ts';
import { vapi } from './vapi/index.ts';
import { webPush } from './web-push/index.ts';
import { whatsapp } from './whatsapp/index.ts';
import { wooCommerce } from './woocommerce/index.ts';

/** Providers by name. Without a prototype: names come from URLs, and `constructor` is no provider. */
export type Integrations = Readonly<Record<string, Integration>>;

/** Every provider that this build knows. A new one is a line here. */
export const integrations: Integrations = registryOf([
  // In the order in which they are offered.
  shopify,
  wooCommerce,
  generic,
  meta,
  keitaro,
  smtp,
  resend,
  sendGrid,
  postmark,
  mailgun,
  ses,
  instantly,
  twilio,
  smsHttp,
  whatsapp,
  telegram,
  vapi,
  goHighLevel,
  openAi,
  onsite,
  webPush,
  shopifyOffers,
  recommendationsHttp,
  recommendationsCsv,
]);

/** A registry of these providers. @throws when two have one name */
export function registryOf(all: readonly Integration[]): Integrations {
  const registry: Record<string, Integration> = Object.create(null);
  for (const integration of all) {
    if (registry[integration.name] !== undefined) throw new Error(`Two integrations are named "${integration.name}".`);
    registry[integration.name] = integration;
  }
  return Object.freeze(registry);
}

/** Thrown when a connection's integration does not send. */
export class UnknownSenderError extends Error {
  readonly code = 'unknown_sender';
  override readonly name = 'UnknownSenderError';
}

/** Whether messages leave through the integration. */
export const sends = ({ sender, senders }: Pick<Integration, 'sender' | 'senders'>): boolean => sender !== undefined || senders !== undefined;

/**
 * The senders of a configured connection, one for each channel that it serves.
 * @throws UnknownSenderError, or what the integration throws when its configuration cannot be used
 */
export function createSenders(
  connection: { integration: string; config: unknown },
  context: SenderContext = { webhookUrl: null },
  known: Integrations = integrations,
): readonly Sender[] {
  const integration = known[connection.integration];
  const config = knownConfig(integration?.config, connection.config);
  return integration?.senders?.(config, context) ?? [createSender({ ...connection, config }, context, known)];
}

/**
 * The sender of a configured connection that serves one channel.
 * @param connection.config - as stored and unsealed; for smtp `{ url: 'smtp://…', dkim?: { domain, selector, privateKey } }`
 * @throws UnknownSenderError, or what the integration throws when its configuration cannot be used
 */
export function createSender(
  connection: { integration: string; config: unknown },
  context: SenderContext = { webhookUrl: null },
  known: Integrations = integrations,
): Sender {
  const integration = known[connection.integration];
  if (integration?.sender === undefined) {
    const names = Object.values(known).flatMap(({ name, sender }) => (sender === undefined ? [] : [name]));
    throw new UnknownSenderError(`No integration "${connection.integration}" sends. Known are: ${names.join(', ')}.`);
  }
  return integration.sender(connection.config, context);
}
