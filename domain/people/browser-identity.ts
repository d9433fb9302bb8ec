import { isPushOf, readPushAddress } from './push-subscription.ts';

/**
 * Whether an identity is that of a browser which showed that it holds one subject, and nothing about whose it is. It names nobody and merges nobody: what
 * was left in one browser is shown in no other, though one person may have both.
 */
export function isOfBrowser({ kind, value }: { kind: string; value: string }): boolean {
  return kind === 'visitor' || (kind === 'push' && readPushAddress(value).subjectId !== null);
}

/** Whether messages about a subject may go to the identity. */
export function isUsableFor({ kind, value }: { kind: string; value: string }, subjectId: string): boolean {
  if (kind === 'visitor') return value === subjectId;
  return kind !== 'push' || isPushOf(value, subjectId);
}
