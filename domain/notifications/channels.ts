/** How somebody is told of a task. Not the channels of messages to customers: no consent, quiet hour or cap is asked. */
export const notificationChannels = ['email', 'sms', 'telegram', 'slack', 'webhook'] as const;
export type NotificationChannel = (typeof notificationChannels)[number];
