import { genericReceiver } from './generic/receive.ts';
import type { Receiver, Sender } from './port.ts';
import { shopifyReceiver } from './shopify/receive.ts';
import { smtpConnectionSchema } from './smtp/connection.ts';
import { createSmtpSender } from './smtp/send.ts';

/** Integrations that report. Without a prototype: the name comes from a URL, and `constructor` is none of them. */
export const receivers: Readonly<Record<string, Receiver>> = Object.freeze(
  Object.assign(Object.create(null), { shopify: shopifyReceiver, generic: genericReceiver } satisfies Record<string, Receiver>),
);

const senders: ReadonlyMap<string, (config: unknown) => Sender> = new Map([
  [
    'smtp',
    (config: unknown) => {
      const { url, dkim } = smtpConnectionSchema.parse(config);
      return createSmtpSender(url, { dkim: dkim ?? null });
    },
  ],
]);

/** Names of the integrations that send. */
export const senderNames: readonly string[] = [...senders.keys()];

/** Thrown when a connection's integration does not send. */
export class UnknownSenderError extends Error {
  readonly code = 'unknown_sender';
  override readonly name = 'UnknownSenderError';
}

/**
 * The sender of a configured connection.
 * @param connection.config - as stored and unsealed; for smtp `{ url: 'smtp://…', dkim?: { domain, selector, privateKey } }`
 * @throws UnknownSenderError, SmtpConfigError, DkimConfigError, ZodError when it cannot be used
 */
export function createSender(connection: { integration: string; config: unknown }): Sender {
  const create = senders.get(connection.integration);
  if (create === undefined) throw new UnknownSenderError(`No integration "${connection.integration}" sends. Known are: ${senderNames.join(', ')}.`);
  return create(connection.config);
}
