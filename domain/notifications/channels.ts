/** How a task's owner is notified. These are not the channels to customers: no consent, quiet hours or cap apply. */
export const notificationChannels = ['email', 'sms', 'telegram', 'slack', 'webhook'] as const;
export type NotificationChannel = (typeof notificationChannels)[number];
