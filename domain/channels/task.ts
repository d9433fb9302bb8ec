import type { MessageChannel } from './channel.ts';

/** A task as the ledger pins it. What is to be done stands in the sequence, and with whom is read when the task is made. */
export interface TaskPayload {
  channel: 'task';
}

/** A task for a colleague, in the store's own list. */
export const task: MessageChannel<TaskPayload> = {
  noun: 'task',
  address: null,
  purpose: 'internal',
  disturbs: false,
  carriesCopy: false,
  addressOf: () => null,
};
