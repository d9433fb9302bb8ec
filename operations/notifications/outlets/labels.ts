import type { TaskAction } from '../../../domain/notifications/links.ts';

/** The actions in the order in which they are shown. */
export const actionLabels: readonly (readonly [TaskAction, string])[] = [
  ['accept', 'Accept'],
  ['reassign', 'Reassign'],
  ['snooze', 'Snooze'],
  ['resolve', 'Resolve'],
];
