/** Why a task's owner is notified: the task was opened, assigned to them, or is overdue. */
export const notificationCauses = ['opened', 'assigned', 'overdue'] as const;
export type NotificationCause = (typeof notificationCauses)[number];

/** Reminders are stored beside the cause (`db/schema/notifications.ts`). */
export const causeOf = ({ cause, reminder }: { cause: 'opened' | 'assigned'; reminder: number | null }): NotificationCause =>
  reminder === null ? cause : 'overdue';
