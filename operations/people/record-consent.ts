import { desc, eq } from 'drizzle-orm';
import { consents, contacts } from '../../db/schema/index.ts';
import type { Channel } from '../../domain/channels/index.ts';
import type { ConsentProof } from '../../domain/events.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { optOutPersons } from '../effects/rules/opt-out.ts';
import { liftOptOuts } from '../effects/rules/suppressions.ts';
import { lockNamed } from '../intake/found.ts';
import type { ConsentRow } from '../read/consents.ts';
import { draftOf, nobody, stopAndWait, writeDraft } from '../stop-one.ts';

/** What a person has said about being contacted, as a colleague heard or read it. */
export interface HandConsent {
  tenantId: string;
  contactId: string;
  /** null: all channels; only a refusal names them all. */
  channel: Channel | null;
  state: 'granted' | 'denied';
  /** When it was said, epoch milliseconds. */
  atMs: number;
  wording: string | null;
  proof: ConsentProof;
  /** How it reached the store, such as a call or a form, for the audit log. */
  note: string | null;
  actor: string;
}

export type HandConsented = { kind: 'recorded'; consent: ConsentRow } | { kind: 'not_found' | 'busy' };

/**
 * Record a statement of a person by hand. It is their own act and has the effects of one: a refusal ends what it closes and is answered when no call of theirs is
 * open, an agreement opens what an earlier refusal has closed. Records are added, and never changed.
 * Source: docs/rules.md#rule-93
 */
export async function recordConsent(deps: Deps, said: HandConsent): Promise<HandConsented> {
  const { tenantId, contactId, channel, state, atMs, wording, proof, note, actor } = said;
  const written: { consent: ConsentRow | null } = { consent: null };
  const waited = await stopAndWait(deps, tenantId, async (tx) => {
    const found = await lockNamed(tx, { identities: [], keys: [], stops: true, contactIds: [contactId] });
    const [known] = await tx.select({ personId: contacts.personId }).from(contacts).where(eq(contacts.id, contactId));
    if (known === undefined) return null;
    const { personId } = known;
    const { draft } = await draftOf(tx, deps, tenantId, { ...nobody, named: [personId], reached: found.reached });
    const identities = draft.identitiesOf([personId]);
    if (state === 'granted' && channel !== null) {
      draft.stateConsent({ contactId, channel, state, basis: 'person', atMs, source: 'by_hand', wording, proof });
      liftOptOuts(draft, identities, { channel, saidAtMs: atMs, basis: 'person' });
    } else {
      const reachedPersonIds = draft.personsOf([personId, ...found.reached]);
      const refusal = { channel, final: false, source: 'by_hand', basis: 'person', occurredAtMs: atMs, identities: [] } as const;
      optOutPersons(draft, { ...refusal, personIds: [personId], reachedPersonIds });
    }
    const outboxWritten = writeDraft(tx, draft);
    const [consent] = await tx
      .select()
      .from(consents)
      .where(eq(consents.contactId, state === 'granted' ? contactId : personId))
      .orderBy(desc(consents.id))
      .limit(1);
    if (consent === undefined) throw new Error('a consent was written that is not there');
    await recordAudit(tx, {
      tenantId,
      actor,
      action: 'consent.record',
      subject: contactId,
      data: { consent: consent.id, state, channel: channel ?? 'all', ...(note === null ? {} : { note }) },
    });
    written.consent = consent;
    return { covered: [...draft.changes.covered], outboxWritten };
  });
  if (waited !== 'stopped') return { kind: waited };
  if (written.consent === null) throw new Error('a consent came to nothing');
  return { kind: 'recorded', consent: written.consent };
}
