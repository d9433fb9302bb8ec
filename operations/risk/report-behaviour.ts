import { randomUUID } from 'node:crypto';
import { and, asc, desc, eq, inArray, isNull } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { connections, contactIdentities, subjectKeys, subjects } from '../../db/schema/index.ts';
import type { FieldNote } from '../../domain/field-note.ts';
import { idAsKept } from '../../integrations/read/text.ts';
import type { ReportedBehaviour } from '../../domain/risk/behaviour.ts';
import { account } from '../../domain/subjects/account/index.ts';
import type { Deps } from '../deps.ts';
import { subjectsFound } from '../read/find-enrollments.ts';
import { sendTestEvent } from '../send-test-event.ts';

// For code that may not import `domain/`.
export { behaviourReport } from '../../domain/risk/behaviour.ts';

export interface BehaviourWish {
  /** As an event of the generic integration has it. */
  account: Record<string, unknown>;
  contact: Record<string, unknown>;
  behaviour: readonly ReportedBehaviour[];
}

export type BehaviourTaken =
  | { kind: 'stored'; accountId: string; repeated: boolean; notes: FieldNote[] }
  /** Nothing was stored. `index`: which entry is wrong. */
  | { kind: 'invalid'; index: number; reason: string }
  | { kind: 'unreadable'; reason: string; fields: FieldNote[] }
  /** It waits: too many deliveries wait before it, or its person is being changed. Nothing is lost. */
  | { kind: 'accepted' }
  /** The store has no connection that takes events of its own system. */
  | { kind: 'no_connection' }
  | { kind: 'busy' };

/** How far ahead a caller's clock may be. */
const aheadMs = 5 * 60_000;

/**
 * Store what an account did, as an event of the store's own system: the same checks, and the same stops.
 * @param key - the caller's `Idempotency-Key`; null: none. A repeat adds nothing either way, as behaviour is known by its own id or time.
 */
export async function reportBehaviour(deps: Deps, tenantId: string, wish: BehaviourWish, key: string | null): Promise<BehaviourTaken> {
  const nowMs = deps.clock.nowMs();
  const index = wish.behaviour.findIndex(({ atMs }) => atMs !== null && atMs > nowMs + aheadMs);
  if (index !== -1) return { kind: 'invalid', index, reason: 'lies in the future' };
  const [connection] = await deps.db.withTenant(tenantId, (tx) =>
    tx
      .select({ id: connections.id })
      .from(connections)
      .where(and(eq(connections.integration, 'generic'), eq(connections.state, 'connected'), isNull(connections.removedAt)))
      .orderBy(asc(connections.id))
      .limit(1),
  );
  if (connection === undefined) return { kind: 'no_connection' };
  const behaviour = wish.behaviour.map(({ id, atMs, what }) => ({
    ...what,
    ...(id === null ? {} : { id }),
    ...(atMs === null ? {} : { at: new Date(atMs).toISOString() }),
  }));
  const data = { account: wish.account, contact: wish.contact, behaviour };
  const event = { type: 'behaviour.reported', occurredAtMs: null, data };
  const sent = await sendTestEvent(deps, tenantId, connection.id, event, `behaviour_${key ?? randomUUID()}`);
  if (sent.kind !== 'sent') return { kind: 'no_connection' };
  switch (sent.acceptance.kind) {
    case 'accepted': {
      const accountId = await accountOf(deps, tenantId, connection.id, wish);
      if (accountId === null) return { kind: 'accepted' };
      return { kind: 'stored', accountId, repeated: sent.acceptance.result === 'repeated', notes: sent.delivery?.notes ?? [] };
    }
    case 'unreadable':
      return sent.acceptance;
    default:
      return { kind: 'busy' };
  }
}

/** By its id, or the one that the person has without one. */
function accountOf(deps: Deps, tenantId: string, connectionId: string, { account: named, contact }: BehaviourWish): Promise<string | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const id = typeof named.id === 'string' ? idAsKept(named.id) : null;
    if (id !== null) {
      const [known] = await tx
        .select({ id: subjectKeys.subjectId })
        .from(subjectKeys)
        .where(and(eq(subjectKeys.connectionId, connectionId), eq(subjectKeys.kind, 'account'), eq(subjectKeys.value, id)));
      return known?.id ?? null;
    }
    // One that cannot be read was left out, and another one names the person.
    const found = [...(await byIdOfPerson(tx, connectionId, contact['id']))];
    for (const field of ['email', 'phone'] as const) {
      const value = contact[field];
      if (found.length > 0 || typeof value !== 'string') continue;
      const searched = await subjectsFound(tx, tenantId, { [field]: value });
      if (searched.kind === 'found') found.push(...searched.found);
    }
    if (found.length === 0) return null;
    const [newest] = await tx
      .select({ id: subjects.id })
      .from(subjects)
      .innerJoin(subjectKeys, and(eq(subjectKeys.tenantId, subjects.tenantId), eq(subjectKeys.subjectId, subjects.id)))
      .where(and(inArray(subjects.id, found), eq(subjects.kind, account.kind), eq(subjectKeys.kind, 'account_of')))
      .orderBy(desc(subjects.id))
      .limit(1);
    return newest?.id ?? null;
  });
}

async function byIdOfPerson(tx: Tx, connectionId: string, id: unknown): Promise<string[]> {
  const kept = typeof id === 'string' ? idAsKept(id) : null;
  if (kept === null) return [];
  const rows = await tx
    .select({ id: subjects.id })
    .from(contactIdentities)
    .innerJoin(subjects, and(eq(subjects.tenantId, contactIdentities.tenantId), eq(subjects.contactId, contactIdentities.contactId)))
    .where(and(eq(contactIdentities.kind, `external:${connectionId}`), eq(contactIdentities.value, kept)));
  return rows.map((row) => row.id);
}
