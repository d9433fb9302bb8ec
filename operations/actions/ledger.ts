import { createHash } from 'node:crypto';
import { eq } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { type ActionResult, enrollmentActions } from '../../db/schema/index.ts';

type ActionRow = typeof enrollmentActions.$inferSelect;

/** One action on one enrollment, as its caller asked for it. */
export interface ActionRequest {
  tenantId: string;
  enrollmentId: string;
  /** Of this request: a retry has the same one. */
  id: string;
  /** The caller's `Idempotency-Key`; null: none. */
  key: string | null;
  action: ActionRow['action'];
  /** Everything that was asked for, so that the same key for something else is seen. */
  request: string;
  actor: string;
}

export const nothingChanged: ActionResult = { changed: false, step: null, untilMs: null, decisions: 0 };

/** A note may be personal data, and it is only compared. */
const digestOf = (request: string) => createHash('sha256').update(request).digest('base64url');

export type KnownAction =
  /** It was done, by this request or by an earlier one with the same key. */
  | { kind: 'done'; result: ActionResult }
  /** Its caller got the answer that nothing was done. */
  | { kind: 'withdrawn' }
  /** The key belongs to another request. */
  | { kind: 'key_reused' };

/** The outcome of a request so far; null: none. Read under the person's lock, so that the first request with the key has committed. */
export async function readAction(tx: Tx, { id, key, action, request, enrollmentId }: ActionRequest): Promise<KnownAction | null> {
  const [own] = await tx.select().from(enrollmentActions).where(eq(enrollmentActions.id, id));
  if (own !== undefined) return own.state === 'withdrawn' ? { kind: 'withdrawn' } : { kind: 'done', result: own.result };
  if (key === null) return null;
  const [before] = await tx.select().from(enrollmentActions).where(eq(enrollmentActions.key, key));
  if (before === undefined) return null;
  const same = before.enrollmentId === enrollmentId && before.action === action && before.request === digestOf(request);
  return same ? { kind: 'done', result: before.result } : { kind: 'key_reused' };
}

/** Note that an action is done, in the transaction that does it. */
export async function noteAction(
  tx: Tx,
  { tenantId, enrollmentId, id, key, action, request, actor }: ActionRequest,
  result: ActionResult,
): Promise<void> {
  await tx.insert(enrollmentActions).values({ tenantId, id, enrollmentId, action, state: 'done', key, request: digestOf(request), result, actor });
}

/** Note that an action is not done and never will be. Its key stays free for a repeat. */
export async function withdrawAction(tx: Tx, { tenantId, enrollmentId, id, action, request, actor }: ActionRequest): Promise<void> {
  const row = {
    tenantId,
    enrollmentId,
    id,
    action,
    request: digestOf(request),
    actor,
    key: null,
    state: 'withdrawn' as const,
    result: nothingChanged,
  };
  await tx.insert(enrollmentActions).values(row);
}
