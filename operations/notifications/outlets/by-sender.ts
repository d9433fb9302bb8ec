import type { Payload, Sender, SendOutcome } from '../../../integrations/port.ts';
import type { NotificationMessage, NotificationWay, WayContext } from './outlet.ts';

/** By an account of the store's for messages, or the installation's. @returns null where there is none */
export function bySender(
  { outlets }: Pick<WayContext, 'outlets'>,
  channel: Sender['channel'],
  payloadOf: (message: NotificationMessage) => Payload,
): NotificationWay | null {
  const outlet = outlets.forChannel(channel);
  if (outlet === null) return null;
  const { sender } = outlet;
  return {
    account: sender.account,
    async send(message, deadline): Promise<SendOutcome> {
      let session;
      try {
        session = await sender.open();
      } catch (error) {
        // Thrown while opening: certainly nothing was sent.
        return { kind: 'refused', severity: 'soft', outage: true, response: (error instanceof Error ? error.message : String(error)).slice(0, 200) };
      }
      try {
        return await session.send(payloadOf(message), `notification-${message.id}`, deadline);
      } catch (error) {
        return { kind: 'unknown', response: (error instanceof Error ? error.message : String(error)).slice(0, 200) };
      } finally {
        session.close();
      }
    },
  };
}
