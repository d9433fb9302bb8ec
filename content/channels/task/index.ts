import type { TaskPayload } from '../../../domain/channels/index.ts';
import type { ChannelContent } from '../channel-content.ts';

/** A task has no text of ours to a customer: what is to be done stands in the step. */
export const taskContent: ChannelContent<'task', null> = {
  suffix: '.task',
  compile: () => Promise.resolve(null),
  read: () => null,
  compose: (): TaskPayload => ({ channel: 'task' }),
};
