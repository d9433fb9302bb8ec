import { randomUUID } from 'node:crypto';
import { and, asc, desc, eq, inArray, isNull } from 'drizzle-orm';
import { connections, subjectKeys, subjects } from '../../db/schema/index.ts';
import type { LeadSource } from '../../domain/campaigns/campaign.ts';
import type { FieldNote } from '../../domain/field-note.ts';
import { idAsKept } from '../../integrations/read/text.ts';
import { lead } from '../../domain/subjects/lead/index.ts';
import type { Deps } from '../deps.ts';
import { subjectsFound } from '../read/find-enrollments.ts';
import { sendTestEvent } from '../send-test-event.ts';

export interface NewLead {
  externalId: string | null;
  /** `API`, `MANUAL`, `BULK`, or as a file or its sender names it. */
  source: string;
  /** The way it came in, where `source` is a label of its own. */
  via?: LeadSource | undefined;
  lead: Record<string, unknown>;
  contact: Record<string, unknown>;
}

export type LeadCreated =
  | { kind: 'created'; leadId: string; repeated: boolean; notes: FieldNote[] }
  /** It waits: too many deliveries wait before it, or its person is being changed. Nothing is lost. */
  | { kind: 'accepted' }
  /** The store has no connection that takes events of its own system. */
  | { kind: 'no_connection' }
  | { kind: 'unreadable'; reason: string; fields: FieldNote[] }
  | { kind: 'busy' };

/**
 * Store a lead that a program or a person names, as an event of the store's own system: the same checks, the same routing.
 * @param key - the caller's `Idempotency-Key`: a repeat finds the lead that it made; null: none
 */
export async function createLead(deps: Deps, tenantId: string, wish: NewLead, key: string | null): Promise<LeadCreated> {
  const [connection] = await deps.db.withTenant(tenantId, (tx) =>
    tx
      .select({ id: connections.id })
      .from(connections)
      .where(and(eq(connections.integration, 'generic'), eq(connections.state, 'connected'), isNull(connections.removedAt)))
      .orderBy(asc(connections.id))
      .limit(1),
  );
  if (connection === undefined) return { kind: 'no_connection' };
  // Without an id of its own, a person has one lead.
  const named = wish.externalId === null ? {} : { id: wish.externalId };
  const data = { lead: { ...wish.lead, ...named, source: wish.source, ...(wish.via === undefined ? {} : { via: wish.via }) }, contact: wish.contact };
  const event = { type: 'lead.created', occurredAtMs: null, data };
  const sent = await sendTestEvent(deps, tenantId, connection.id, event, `lead_${key ?? randomUUID()}`);
  if (sent.kind !== 'sent') return { kind: 'no_connection' };
  switch (sent.acceptance.kind) {
    case 'accepted': {
      const leadId = await leadOf(deps, tenantId, connection.id, wish);
      if (leadId === null) return { kind: 'accepted' };
      return { kind: 'created', leadId, repeated: sent.acceptance.result === 'repeated', notes: sent.delivery?.notes ?? [] };
    }
    case 'unreadable':
      return sent.acceptance;
    default:
      return { kind: 'busy' };
  }
}

/** By its id, or the newest of the person. */
function leadOf(deps: Deps, tenantId: string, connectionId: string, { externalId, contact }: NewLead): Promise<string | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const id = externalId === null ? null : idAsKept(externalId);
    if (id !== null) {
      const [known] = await tx
        .select({ id: subjectKeys.subjectId })
        .from(subjectKeys)
        .where(and(eq(subjectKeys.connectionId, connectionId), eq(subjectKeys.kind, 'lead'), eq(subjectKeys.value, id)));
      return known?.id ?? null;
    }
    // One that cannot be read was left out, and the other one names the person.
    const searches = [{ email: contact['email'] as string | undefined }, { phone: contact['phone'] as string | undefined }];
    const ids: string[] = [];
    for (const search of searches) {
      if (Object.values(search).every((value) => value === undefined) || ids.length > 0) continue;
      const found = await subjectsFound(tx, tenantId, search);
      if (found.kind === 'found') ids.push(...found.found);
    }
    if (ids.length === 0) return null;
    const [newest] = await tx
      .select({ id: subjects.id })
      .from(subjects)
      .where(and(inArray(subjects.id, ids), eq(subjects.kind, lead.kind)))
      .orderBy(desc(subjects.id))
      .limit(1);
    return newest?.id ?? null;
  });
}
