import type { NotificationChannel } from '../../../domain/notifications/channels.ts';
import { email } from './email.ts';
import type { NotificationOutlet } from './outlet.ts';
import { slack } from './slack.ts';
import { sms } from './sms.ts';
import { telegram } from './telegram.ts';
import { webhook } from './webhook.ts';

export type { NotificationMessage, NotificationOutlet, TargetConfig } from './outlet.ts';

/** Every way to notify a task's owner. */
export const notificationOutlets: Readonly<Record<NotificationChannel, NotificationOutlet>> = { email, sms, telegram, slack, webhook };
