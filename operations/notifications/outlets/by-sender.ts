import type { Payload, Sender, SendOutcome } from '../../../integrations/port.ts';
import type { NotificationMessage, NotificationWay, WayContext } from './outlet.ts';

/** By an account of the store's for messages, or the installation's. @returns null where there is none */
export function bySender(
  { outlets, account }: Pick<WayContext, 'outlets' | 'account'>,
  channel: Sender['channel'],
  payloadOf: (message: NotificationMessage) => Payload,
): NotificationWay | null {
  const outlet = account === null ? outlets.forChannel(channel) : outlets.ofAccount(account, channel);
  if (outlet === null) return null;
  const { sender } = outlet;
  const { reconciliation } = sender;
  return {
    account: sender.account,
    // A provider that suppresses repeats by their key wants the same bytes, and what a notification says is stored nowhere: it is not repeated there.
    question:
      reconciliation.kind === 'find'
        ? { settleAfterMs: reconciliation.settleAfterMs, ask: (message) => reconciliation.find(keyOf(message), payloadOf(message)) }
        : null,
    async send(message, deadline): Promise<SendOutcome> {
      let session;
      try {
        session = await sender.open();
      } catch (error) {
        // Thrown while opening: certainly nothing was sent.
        return { kind: 'refused', severity: 'soft', outage: true, response: (error instanceof Error ? error.message : String(error)).slice(0, 200) };
      }
      try {
        return await session.send(payloadOf(message), keyOf(message), deadline);
      } catch (error) {
        return { kind: 'unknown', response: (error instanceof Error ? error.message : String(error)).slice(0, 200) };
      } finally {
        session.close();
      }
    },
  };
}

const keyOf = ({ id }: Pick<NotificationMessage, 'id'>) => `notification-${id}`;
