import { eq } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { campaigns, contacts, subjects } from '../../db/schema/index.ts';
import { type Channel, channelNames } from '../../domain/channels/index.ts';
import { type Contactability, contactability } from '../../domain/gates/contactable.ts';
import type { SequenceDefinition } from '../../domain/sequence/definition.ts';
import { lead } from '../../domain/subjects/lead/index.ts';
import type { Deps } from '../deps.ts';
import type { StepWorld } from '../dispatch/facts.ts';
import { readContact } from '../rehearse-contact.ts';

// For code that may not import `domain/`.
export type { Contactability } from '../../domain/gates/contactable.ts';
export const contactChannels = channelNames.filter((name) => name !== 'none');

export interface ContactWish {
  leadId: string;
  /** null: by email, else by text message, else by call, as the lead can be reached. */
  channel: Channel | null;
  /** Whose schedule and status count; null: none. */
  campaignId: string | null;
  atMs: number;
}

export type ContactAnswer =
  | ({ kind: 'answered' } & Contactability)
  | { kind: 'unknown_lead' }
  | { kind: 'unknown_campaign' }
  /** Nothing is known by which anybody could be reached. */
  | { kind: 'nobody' };

/**
 * Whether a lead may be contacted, within which hours, and when next: what a step that is due then would be decided, by the same facts and gates. Reads only.
 * Source: docs/rules.md#rule-131
 */
export function readContactability(deps: Deps, tenantId: string, wish: ContactWish): Promise<ContactAnswer> {
  return deps.db.withTenant(tenantId, async (tx): Promise<ContactAnswer> => {
    const [found] = await tx
      .select({ subject: subjects, contact: contacts })
      .from(subjects)
      .leftJoin(contacts, eq(contacts.id, subjects.contactId))
      .where(eq(subjects.id, wish.leadId));
    if (found === undefined || found.subject.kind !== lead.kind) return { kind: 'unknown_lead' };
    const campaign = wish.campaignId === null ? null : await readCampaign(tx, wish.campaignId);
    if (campaign === undefined) return { kind: 'unknown_campaign' };
    if (found.contact === null) return { kind: 'nobody' };
    const about: Pick<StepWorld, 'subject' | 'campaign' | 'move'> = {
      subject: found.subject,
      campaign,
      move: campaign?.status === 'ENDED' ? { to: null, reason: 'campaign_ended' } : null,
    };
    const definition = oneStep(wish.channel === null ? byPriority : [wish.channel]);
    const asked = {
      tenantId,
      contact: found.contact,
      tried: { slug: definition.sequence, version: 1, definition, content: {} },
      nowMs: wish.atMs,
      about,
    };
    const { reading } = await readContact(tx, deps, asked, stepId, () => []);
    // What a sequence is about to send to them is no reason against it: it would come later.
    const facts = { ...reading.facts, person: { ...reading.facts.person, upcoming: [] } };
    return { kind: 'answered', ...contactability(facts, wish.atMs) };
  });
}

/** @returns undefined where the tenant has no such campaign */
async function readCampaign(tx: Tx, id: string): Promise<NonNullable<StepWorld['campaign']> | undefined> {
  const { status, schedule, rate, call } = campaigns;
  const [row] = await tx.select({ id: campaigns.id, status, schedule, rate, call }).from(campaigns).where(eq(campaigns.id, id));
  return row;
}

const byPriority: readonly Channel[] = ['email', 'sms', 'call'];
const stepId = 'contact';
const dayMs = 86_400_000;
/** Caps reach back 31 days at most, so that room is found within. */
const aheadMs = 60 * dayMs;

/** A sequence of one message that is due at once. No sequence of a store has its name. */
function oneStep(channels: readonly Channel[]): SequenceDefinition {
  return {
    ...{ sequence: '', name: '', on: lead.trigger, quietForMs: 0, stopOn: [], maxAgeMs: aheadMs, reentry: 'once-per-subject', together: 'many' },
    ...{ holdoutPercent: 0, priority: 3, whenCapped: 'wait', goal: { event: 'order.placed', withinMs: aheadMs } },
    steps: [
      {
        ...{ id: stepId, due: { from: 'anchor', delayMs: 0 }, channels: [...channels], content: null, when: null },
        ...{ lapsesWith: null, expiresAfterMs: aheadMs, maxRetries: 0 },
      },
    ],
  };
}
